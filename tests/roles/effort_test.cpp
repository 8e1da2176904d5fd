#include "roles/effort.h"

#include <gtest/gtest.h>

#include <cmath>

namespace brokerlab {
namespace {

EffortSpec spec_of(const Json& effort) {
  return RoleSpec::from_json({{"role", "worker"}, {"consume", {{"queue", "q"}}}, {"effort", effort}}).effort;
}

Nanoseconds length_of(const Json& effort, std::uint64_t sequence, std::string_view body = "",
                      const Json& parsed = {}) {
  return EffortLength(spec_of(effort), 1, "worker").of(3, sequence, body, parsed);
}

TEST(EffortLength, ComesFromANumberTheDotsOrThePointer) {
  EXPECT_EQ(length_of({{"kind", "none"}}, 0), 0);
  EXPECT_EQ(length_of({{"kind", "sleep"}, {"seconds", 0.25}}, 0), 250'000'000);
  EXPECT_EQ(length_of({{"kind", "spin"}, {"seconds", "5ms"}}, 9), 5'000'000);
  EXPECT_EQ(length_of({{"kind", "sleep"}, {"from", "dots"}}, 0, "a task..."), 3'000'000'000);
  EXPECT_EQ(length_of({{"kind", "sleep"}, {"from", "dots"}, {"scale", "10ms"}}, 0, ".a.b"), 20'000'000);
  EXPECT_EQ(length_of({{"kind", "sleep"}, {"from", "/work/0"}, {"scale", "1ms"}}, 0, "", {{"work", {2.5}}}),
            2'500'000);
}

TEST(EffortLength, IsBoundedByADay) {
  EXPECT_EQ(length_of({{"kind", "sleep"}, {"from", "/n"}}, 0, "", {{"n", 1e300}}),
            86'400 * kNanosecondsPerSecond);
}

// The efforts of known answer R1: 18 and 2 in turn, by the message and not by who takes it.
TEST(EffortLength, FollowsTheMessageNotItsWorker) {
  const Json cycle = {{"kind", "sleep"},
                      {"seconds", {{"distribution", "cycle"}, {"values", {"18ms", "2ms"}}}}};
  EXPECT_EQ(length_of(cycle, 0), 18'000'000);
  EXPECT_EQ(length_of(cycle, 7), 2'000'000);
  EXPECT_EQ(length_of(cycle, 4), 18'000'000);
  const Json drawn = {{"kind", "sleep"}, {"seconds", {{"distribution", "exponential"}, {"mean", "5ms"}}}};
  EXPECT_EQ(length_of(drawn, 11), length_of(drawn, 11));
  EXPECT_NE(length_of(drawn, 11), length_of(drawn, 12));
}

TEST(EffortLength, DrawsOfSuccessiveMessagesAreIndependent) {
  const EffortLength length(
      spec_of({{"kind", "sleep"}, {"seconds", {{"distribution", "exponential"}, {"mean", 1}}}}), 1, "worker");
  double sum = 0, squares = 0, products = 0, before = 1;
  constexpr int kMessages = 100'000;
  for (int i = 0; i < kMessages; ++i) {
    const double x = static_cast<double>(length.of(3, static_cast<std::uint64_t>(i), "", {})) / 1e9;
    sum += x;
    squares += x * x;
    products += (x - 1) * (before - 1);
    before = x;
  }
  EXPECT_NEAR(sum / kMessages, 1, 0.02);
  EXPECT_NEAR(squares / kMessages, 2, 0.1);
  EXPECT_NEAR(products / kMessages, 0, 0.02);
}

class EffortOnALoop : public testing::TestWithParam<EffortSpec::Kind> {
 protected:
  void SetUp() override { uv_loop_init(&loop_); }
  void TearDown() override {
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }
  uv_loop_t loop_{};
  MonotonicClock clock_;
};

TEST_P(EffortOnALoop, TakesAtLeastItsLengthAndLeavesTheLoopAlone) {
  Effort effort(&loop_, clock_, GetParam());
  const Nanoseconds start = clock_.now();
  Nanoseconds ended = 0;
  int turns = 0;
  effort.begin(start, 30'000'000, [&] { ended = clock_.now(); });
  EXPECT_TRUE(effort.busy());
  // Another timer of the loop goes on meanwhile, as heartbeats must.
  PreciseTimer other(&loop_, [&] {
    ++turns;
    if (effort.busy()) other.set(clock_.now() + 1'000'000);
  });
  other.set(start + 1'000'000);
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_FALSE(effort.busy());
  EXPECT_GE(ended - start, 30'000'000);
  EXPECT_GT(turns, 1);
  effort.close();
  other.close();
}

TEST_P(EffortOnALoop, CanBeBegunAgainAndClosedInMidWork) {
  Effort effort(&loop_, clock_, GetParam());
  int done = 0;
  effort.begin(clock_.now(), 0, [&] { ++done; });
  uv_run(&loop_, UV_RUN_DEFAULT);
  effort.begin(clock_.now(), 3'600 * kNanosecondsPerSecond, [&] { ++done; });
  effort.close();
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(done, 1);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EffortOnALoop,
                         testing::Values(EffortSpec::Kind::kSleep, EffortSpec::Kind::kSpin));

}  // namespace
}  // namespace brokerlab
