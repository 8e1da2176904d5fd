#include "core/precise_timer.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace brokerlab {
namespace {

class PreciseTimerTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(uv_loop_init(&loop_), 0); }
  void TearDown() override {
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0) << "a handle was left open";
  }

  uv_loop_t loop_{};
  MonotonicClock clock_;
};

TEST_F(PreciseTimerTest, FiresInOrderAndNeverEarly) {
  std::vector<int> fired;
  std::vector<Nanoseconds> early;
  const Nanoseconds now = clock_.now();
  const Nanoseconds due[2] = {now + 4'000'000, now + 2'000'000};
  PreciseTimer late(&loop_, [&] {
    fired.push_back(0);
    early.push_back(due[0] - clock_.now());
  });
  PreciseTimer soon(&loop_, [&] {
    fired.push_back(1);
    early.push_back(due[1] - clock_.now());
  });
  late.set(due[0]);
  soon.set(due[1]);
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(fired, (std::vector<int>{1, 0}));
  for (const Nanoseconds by : early) {
    EXPECT_LE(by, 0);
  }
}

TEST_F(PreciseTimerTest, AnInstantInThePastFiresOnTheNextTurn) {
  int fired = 0;
  std::optional<PreciseTimer> timer;
  timer.emplace(&loop_, [&] {
    if (++fired < 3) {
      timer->set(fired == 1 ? 0 : -5);
    }
  });
  timer->set(clock_.now() - kNanosecondsPerSecond);
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(fired, 3);
}

TEST_F(PreciseTimerTest, AnIdleTimerDoesNotKeepTheLoopAlive) {
  int fired = 0;
  PreciseTimer timer(&loop_, [&] { ++fired; });
  EXPECT_EQ(uv_run(&loop_, UV_RUN_DEFAULT), 0);
  timer.set(clock_.now() + 3600 * kNanosecondsPerSecond);
  timer.cancel();
  EXPECT_EQ(uv_run(&loop_, UV_RUN_DEFAULT), 0);
  EXPECT_EQ(fired, 0);
}

TEST_F(PreciseTimerTest, SettingAgainReplacesTheInstant) {
  int fired = 0;
  PreciseTimer timer(&loop_, [&] { ++fired; });
  timer.set(clock_.now() + 3600 * kNanosecondsPerSecond);
  timer.set(clock_.now() + 1'000'000);
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(fired, 1);
}

TEST_F(PreciseTimerTest, MayBeDestroyedInItsOwnCallback) {
  int fired = 0;
  std::unique_ptr<PreciseTimer> timer;
  timer = std::make_unique<PreciseTimer>(&loop_, [&] {
    ++fired;
    timer.reset();
  });
  timer->set(clock_.now());
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(fired, 1);
}

TEST_F(PreciseTimerTest, AClosedTimerIsSilent) {
  int fired = 0;
  PreciseTimer timer(&loop_, [&] { ++fired; });
  timer.set(clock_.now());
  timer.close();
  timer.close();
  timer.set(clock_.now());
  timer.cancel();
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_EQ(fired, 0);
}

}  // namespace
}  // namespace brokerlab
