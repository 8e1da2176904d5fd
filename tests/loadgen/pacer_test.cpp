#include "loadgen/pacer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "core/error.h"
#include "core/random.h"
#include "loadgen/schedule.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kSecond = kNanosecondsPerSecond;

Json entry_of(const Json& arrivals, std::uint32_t instances = 1) {
  return {{"name", "load"}, {"instances", instances}, {"arrivals", arrivals}, {"publish", Json::object()}};
}

std::unique_ptr<Pacer> pacer_of(const Json& arrivals, std::uint32_t instances = 1, std::uint32_t instance = 0,
                                std::uint64_t seed = 1) {
  return Pacer::make(LoadSpec::from_json(entry_of(arrivals, instances)), seed, instance);
}

std::vector<Nanoseconds> times_within(const Pacer& pacer, Nanoseconds horizon) {
  std::vector<Nanoseconds> times;
  const auto cursor = pacer.cursor();
  for (auto time = cursor->next(); time && *time < horizon; time = cursor->next()) times.push_back(*time);
  return times;
}

TEST(Pacer, ConstantIsEvenAndExact) {
  const auto pacer = pacer_of({{"process", "constant"}, {"rate", 1000}});
  EXPECT_EQ(pacer->at(0), 0);
  EXPECT_EQ(pacer->at(1), 1'000'000);
  EXPECT_EQ(pacer->at(3'600'000), 3600 * kSecond);
  EXPECT_EQ(pacer->count_within(10 * kSecond), 10'000U);
  EXPECT_EQ(pacer->count_within(10 * kSecond + 1), 10'001U);
  EXPECT_EQ(pacer->count_within(0), 0U);
}

TEST(Pacer, AStartLaterMovesTheWholeSchedule) {
  Json entry = entry_of({{"process", "constant"}, {"rate", 10}});
  entry["start"] = {{"after", "2s"}};
  const auto late = Pacer::make(LoadSpec::from_json(entry), 1, 0);
  EXPECT_EQ(late->at(0), 2 * kSecond);
  EXPECT_EQ(late->count_within(3 * kSecond), 10U);
  EXPECT_EQ(late->count_within(kSecond), 0U);
  EXPECT_EQ(times_within(*late, 3 * kSecond).size(), 10U);
  entry["start"] = {{"after", "1s"}, {"within", "4s"}};
  const LoadSpec spec = LoadSpec::from_json(entry);
  std::set<Nanoseconds> delays;
  for (std::uint32_t instance = 0; instance < 50; ++instance) {
    const Nanoseconds delay = spec.start_delay_ns(1, instance);
    EXPECT_GE(delay, kSecond);
    EXPECT_LT(delay, 5 * kSecond);
    EXPECT_EQ(delay, spec.start_delay_ns(1, instance));
    delays.insert(delay);
  }
  EXPECT_GT(delays.size(), 45U);
  EXPECT_EQ(scheduled_count(entry_of({{"process", "constant"}, {"rate", 10}}), 3 * kSecond), 30U);
}

TEST(Pacer, InstancesOfOneLoadAreSpreadOverTheFirstInterval) {
  for (std::uint32_t k = 0; k < 4; ++k) {
    const auto pacer = pacer_of({{"process", "constant"}, {"rate", 10}}, 4, k);
    EXPECT_EQ(pacer->at(0), k * kSecond / 40) << k;
    EXPECT_EQ(pacer->at(7), 7 * kSecond / 10 + k * kSecond / 40) << k;
    EXPECT_EQ(pacer->count_within(2 * kSecond), 20U) << k;
  }
}

// Known answer T1.
TEST(Pacer, RampFrom100To1000In60SecondsSends33000) {
  const Json ramp = {{"process", "ramp"}, {"from", 100}, {"to", 1000}, {"over", "60s"}};
  const auto pacer = pacer_of(ramp);
  EXPECT_EQ(pacer->count_within(3600 * kSecond), 33'000U);
  EXPECT_EQ(times_within(*pacer, 3600 * kSecond).size(), 33'000U);
  EXPECT_EQ(pacer->at(33'000), std::nullopt);
  EXPECT_LT(*pacer->at(32'999), 60 * kSecond);
  EXPECT_EQ(scheduled_count(entry_of(ramp), 60 * kSecond), 33'000U);
  EXPECT_EQ(scheduled_count(entry_of(ramp, 7), 3600 * kSecond), 7 * 33'000U);
  // Halfway the rate is 550/s: 100 * 30 + 450 * 15 = 9,750 messages before.
  EXPECT_EQ(pacer->count_within(30 * kSecond), 9'750U);
  EXPECT_NEAR(static_cast<double>(*pacer->at(9'751) - *pacer->at(9'750)), 1e9 / 550, 2000);
}

TEST(Pacer, RampsFromAndToNothingAreFinite) {
  const auto up = pacer_of({{"process", "ramp"}, {"from", 0}, {"to", 10}, {"over", 10}});
  EXPECT_EQ(up->count_within(3600 * kSecond), 50U);
  EXPECT_EQ(up->at(0), 0);
  EXPECT_NEAR(static_cast<double>(*up->at(32)), 8e9, 1);  // t^2 / 2 = 32
  const auto down = pacer_of({{"process", "ramp"}, {"from", 10}, {"to", 0}, {"over", 10}});
  EXPECT_EQ(down->count_within(3600 * kSecond), 50U);
  EXPECT_NEAR(static_cast<double>(*down->at(18)), 2e9, 1);  // 10 t - t^2 / 2 = 18
}

TEST(Pacer, StepsFollowEachOtherAndPause) {
  const Json steps = {
      {"process", "steps"},
      {"steps", {{{"rate", 10}, {"for", "1s"}}, {{"rate", 0}, {"for", "5s"}}, {{"rate", 100}, {"for", 2}}}}};
  const auto pacer = pacer_of(steps);
  EXPECT_EQ(pacer->at(9), 900'000'000);
  EXPECT_EQ(pacer->at(10), 6 * kSecond);
  EXPECT_EQ(pacer->at(11), 6 * kSecond + 10'000'000);
  EXPECT_EQ(pacer->count_within(6 * kSecond), 10U);
  EXPECT_EQ(pacer->count_within(3600 * kSecond), 210U);
}

TEST(Pacer, StepsThatEndWithAPauseSendNoMessageMore) {
  const Json steps = {{"process", "steps"},
                      {"steps", {{{"rate", 0.1}, {"for", 30}}, {{"rate", 0}, {"for", 5}}}}};
  EXPECT_EQ(pacer_of(steps)->count_within(3600 * kSecond), 3U);
}

TEST(Pacer, BurstsComeTogether) {
  const auto pacer = pacer_of({{"process", "burst"}, {"size", 100}, {"every", "2s"}}, 3, 1);
  EXPECT_EQ(pacer->at(99), 0);
  EXPECT_EQ(pacer->at(100), 2 * kSecond);
  EXPECT_EQ(pacer->count_within(2 * kSecond), 100U);
  EXPECT_EQ(pacer->count_within(2 * kSecond + 1), 200U);
}

TEST(Pacer, PoissonHasMeanAndVarianceOfItsRate) {
  const auto pacer = pacer_of({{"process", "poisson"}, {"rate", 1000}});
  const std::vector<Nanoseconds> times = times_within(*pacer, 200 * kSecond);
  const auto n = static_cast<double>(times.size());
  EXPECT_NEAR(n, 200'000, 4 * std::sqrt(200'000));
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double gap = static_cast<double>(times[i] - (i > 0 ? times[i - 1] : 0)) / 1e6;  // ms
    sum += gap;
    squares += gap * gap;
  }
  EXPECT_NEAR(sum / n, 1, 0.01);
  EXPECT_NEAR(squares / n - (sum / n) * (sum / n), 1, 0.03);
  // The index of dispersion of counts per 100 ms is 1 for a Poisson process and 0 for an even one.
  std::vector<double> counts(2000);
  for (const Nanoseconds time : times) counts[static_cast<std::size_t>(time / 100'000'000)] += 1;
  double dispersion = 0;
  for (const double count : counts) dispersion += (count - 100) * (count - 100) / 100;
  EXPECT_NEAR(dispersion / 2000, 1, 4 * std::sqrt(2.0 / 2000));
}

TEST(Pacer, TheSameSeedGivesTheSameScheduleAndNoOtherDoes) {
  const Json poisson = {{"process", "poisson"}, {"rate", 50}};
  const auto times = [&](std::uint32_t instance, std::uint64_t seed) {
    return times_within(*pacer_of(poisson, 2, instance, seed), 10 * kSecond);
  };
  EXPECT_EQ(times(0, 1), times(0, 1));
  EXPECT_NE(times(0, 1), times(1, 1));
  EXPECT_NE(times(0, 1), times(0, 2));
}

TEST(Pacer, RenewalSumsItsGaps) {
  const auto constant = pacer_of({{"process", "renewal"}, {"gap", "20ms"}});
  EXPECT_EQ(constant->at(0), 20'000'000);
  EXPECT_EQ(constant->at(9), 200'000'000);
  EXPECT_EQ(constant->count_within(kSecond), 49U);
  const auto uniform = pacer_of(
      {{"process", "renewal"}, {"gap", {{"distribution", "uniform"}, {"min", "1s"}, {"max", "2s"}}}});
  const std::vector<Nanoseconds> times = times_within(*uniform, 3000 * kSecond);
  EXPECT_NEAR(static_cast<double>(times.size()), 2000, 60);
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], kSecond);
    EXPECT_LE(times[i] - times[i - 1], 2 * kSecond + 1);
  }
}

TEST(Pacer, ReplayGivesTheListedTimes) {
  const auto pacer = pacer_of({{"process", "replay"}, {"times", {0, 0.5, 0.5, 2.25}}});
  EXPECT_THAT(times_within(*pacer, 100 * kSecond),
              testing::ElementsAre(0, 500'000'000, 500'000'000, 2'250'000'000));
  EXPECT_EQ(pacer->count_within(2'250'000'000), 3U);
  EXPECT_THROW(pacer_of({{"process", "replay"}, {"times", {1, 0.5}}}), Error);
}

TEST(Pacer, ReplayReadsAFileAndNamesTheBadLine) {
  const auto path = std::filesystem::temp_directory_path() / ("replay-" + std::to_string(::getpid()));
  std::ofstream(path) << "0.25\n\n 1.5 \n";
  const auto pacer = pacer_of({{"process", "replay"}, {"file", path.string()}});
  EXPECT_EQ(pacer->at(1), 1'500'000'000);
  EXPECT_EQ(pacer->at(2), std::nullopt);
  std::ofstream(path) << "0.25\n0.5s\n";
  try {
    pacer_of({{"process", "replay"}, {"file", path.string()}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.where(), testing::HasSubstr(":2"));
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
  }
  std::filesystem::remove(path);
}

TEST(Pacer, AClosedLoopHasNoSchedule) { EXPECT_EQ(pacer_of({{"process", "closed"}}), nullptr); }

// Every process: the cursor, the index function and the count are three views of one schedule.
class Schedules : public testing::TestWithParam<const char*> {};

TEST_P(Schedules, CursorIndexAndCountAgree) {
  const Json arrivals = Json::parse(GetParam());
  for (std::uint32_t instance = 0; instance < 3; ++instance) {
    const auto pacer = pacer_of(arrivals, 3, instance, 7);
    const auto cursor = pacer->cursor();
    Nanoseconds last = 0;
    for (std::uint64_t i = 0; i < 700; ++i) {
      const auto time = cursor->next();
      ASSERT_EQ(time, pacer->at(i)) << i;
      if (!time) break;
      ASSERT_GE(*time, last);
      last = *time;
      ASSERT_LE(pacer->count_within(*time), i);
      ASSERT_GT(pacer->count_within(*time + 1), i);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Schedules,
    testing::Values(
        R"({"process": "constant", "rate": 33.3})", R"({"process": "poisson", "rate": 333})",
        R"({"process": "ramp", "from": 3, "to": 97.7, "over": 11})",
        R"({"process": "ramp", "from": 97.7, "to": 0, "over": 9})",
        R"({"process": "steps", "steps": [{"rate": 7, "for": 3}, {"rate": 0, "for": 1}, {"rate": 99, "for": 3}]})",
        R"({"process": "burst", "size": 7, "every": 0.25})",
        R"({"process": "renewal", "gap": {"distribution": "choice", "values": [0, 0.1]}})",
        R"({"process": "replay", "times": [0, 0, 1, 5]})"));

TEST(ScheduledCount, CountsAllInstancesUpToTheirStop) {
  Json entry = entry_of({{"process", "constant"}, {"rate", 100}}, 3);
  EXPECT_EQ(scheduled_count(entry, 10 * kSecond), 3000U);
  entry["stop"] = {{"after", "2s"}};
  EXPECT_EQ(scheduled_count(entry, 10 * kSecond), 600U);
  entry["stop"] = {{"count", 50}};
  EXPECT_EQ(scheduled_count(entry, 10 * kSecond), 150U);
  EXPECT_EQ(scheduled_count(entry, kSecond / 4), 75U);
}

TEST(ScheduledCount, KnowsRandomArrivalsOnlyWithTheirSeed) {
  const Json entry = entry_of({{"process", "poisson"}, {"rate", 100}}, 2);
  EXPECT_EQ(scheduled_count(entry, 10 * kSecond), std::nullopt);
  std::uint64_t walked = 0;
  for (std::uint32_t k = 0; k < 2; ++k) {
    walked += times_within(*pacer_of(entry.at("arrivals"), 2, k, 5), 10 * kSecond).size();
  }
  EXPECT_EQ(scheduled_count(entry, 10 * kSecond, 5), walked);
  EXPECT_EQ(scheduled_count(entry_of({{"process", "closed"}}), kSecond, 1), std::nullopt);
}

}  // namespace
}  // namespace brokerlab
