// The cases with known answers, on a real broker. Names and tolerances are those of the measurement
// specification (docs/metrics.md, "Known answers"); a tolerance is never widened to make a test pass.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

constexpr double kMs = 1e6;

std::vector<std::int64_t> per_consumer(const Json& run, const char* key) {
  std::vector<std::int64_t> values;
  for (const Json& consumer : run["fairness"]["consumers"])
    values.push_back(consumer[key].get<std::int64_t>());
  return values;
}

double number(const Json& run, const char* pointer) {
  const Json::json_pointer at(pointer);
  if (!run.contains(at) || !run[at].is_number()) {
    ADD_FAILURE() << pointer << " is not measured";
    return std::nan("");
  }
  return run[at].get<double>();
}

void expect_within(double value, double expected, double share) {
  EXPECT_NEAR(value, expected, expected * share);
}

void expect_valid(const Json& run) {
  std::string failed;
  for (const Json& flag : run["flags"]) {
    if (flag["state"] == "fail") failed += flag.dump() + "\n";
  }
  EXPECT_EQ(run["ledger"]["lost"], 0) << failed;
  EXPECT_EQ(run["ledger"]["duplicates"], 0);
  EXPECT_EQ(run["ledger"]["unexpected"], 0);
}

void expect_round_robin_by_count(const Json& run) {
  expect_valid(run);
  EXPECT_THAT(per_consumer(run, "messages"), testing::ElementsAre(50, 50));
  expect_within(number(run, "/makespan_ns"), 900 * kMs, 0.03);
  const auto busy = per_consumer(run, "busy_ns");
  EXPECT_EQ(busy.size(), 2U);
  expect_within(static_cast<double>(*std::max_element(busy.begin(), busy.end())), 900 * kMs, 0.03);
  EXPECT_NEAR(number(run, "/fairness/by_busy_time/jain"), 0.6098, 0.02);
  EXPECT_DOUBLE_EQ(number(run, "/fairness/by_messages/jain"), 1.0);
}

TEST(KnownAnswers, R1PushIsFairByCountOnly) {
  expect_round_robin_by_count(run_of(run_experiment_file("known-answers/r1")));
}

TEST(KnownAnswers, R2PrefetchOneIsFairByBusyTime) {
  const Json run = run_of(run_experiment_file("known-answers/r2"));
  expect_valid(run);
  EXPECT_GE(number(run, "/fairness/by_busy_time/jain"), 0.99);
  expect_within(number(run, "/makespan_ns"), 500 * kMs, 0.08);
  for (const std::int64_t busy : per_consumer(run, "busy_ns"))
    expect_within(static_cast<double>(busy), 500 * kMs, 0.08);
}

TEST(KnownAnswers, R3PrefetchIsIgnoredWithAutomaticAcknowledgement) {
  const Json run = run_of(run_experiment_file("known-answers/r3"));
  expect_round_robin_by_count(run);
  EXPECT_TRUE(std::any_of(run["flags"].begin(), run["flags"].end(), [](const Json& flag) {
    return flag["name"] == "PREFETCH_IGNORED" && flag["state"] == "fail";
  }));
}

// The one change of membership in a run of f2-f4.
Json change_of(const Json& result, const char* variant) {
  const Json run = run_of(result, variant);
  expect_valid(run);
  EXPECT_EQ(run["sharding"]["affinity_violations"], 0) << variant;
  EXPECT_EQ(run["sharding"]["changes"].size(), 1U) << variant;
  return run["sharding"]["changes"].empty() ? Json::object() : run["sharding"]["changes"][0];
}

std::vector<std::int64_t> keys_per_queue(const Json& epoch) {
  std::vector<std::int64_t> keys;
  for (const Json& queue : epoch["queues"]) keys.push_back(queue["keys"].get<std::int64_t>());
  return keys;
}

TEST(KnownAnswers, F2AndF4AConsistentHashSpreadsAndMovesKeysExactly) {
  const Json result = run_experiment_file("known-answers/f2-f4");
  const Json stable = run_of(result, "stable");
  expect_valid(stable);
  EXPECT_THAT(keys_per_queue(stable["sharding"]["epochs"][0]), testing::ElementsAre(2449, 2534, 2537, 2480));
  EXPECT_THAT(per_consumer(stable, "messages"), testing::ElementsAre(4898, 5068, 5074, 4960, 0));
  // In a hundredth of a per cent, as the specification gives them.
  EXPECT_NEAR(change_of(result, "first-leaves")["moved_share"].get<double>(), 0.9195, 0.00005);
  EXPECT_NEAR(change_of(result, "last-leaves")["moved_share"].get<double>(), 0.2480, 0.00005);
  EXPECT_NEAR(change_of(result, "fifth-joins")["moved_share"].get<double>(), 0.1997, 0.00005);
  EXPECT_NEAR(change_of(result, "first-leaves")["formula"].get<double>(), 0.9167, 0.00005);
  EXPECT_DOUBLE_EQ(change_of(result, "last-leaves")["formula"].get<double>(), 0.25);
  EXPECT_DOUBLE_EQ(change_of(result, "fifth-joins")["formula"].get<double>(), 0.20);
}

TEST(KnownAnswers, R4FirstConsumerTakesAPreloadedQueue) {
  const Json run = run_of(run_experiment_file("known-answers/r4"));
  expect_valid(run);
  EXPECT_THAT(per_consumer(run, "messages"), testing::UnorderedElementsAre(100, 0));
}

TEST(KnownAnswers, A4UnroutableIsConfirmedAndReturnedWhenMandatory) {
  const Json result = run_experiment_file("known-answers/a4");
  for (const Json& run : result["runs"]) {
    const bool mandatory = run["variant"] == "mandatory";
    EXPECT_EQ(run["ledger"]["published"], 10);
    EXPECT_EQ(run["ledger"]["confirmed"], 10) << run["variant"];
    EXPECT_EQ(run["ledger"]["returned"], mandatory ? 10 : 0);
  }
  EXPECT_EQ(result["runs"].size(), 2U);
}

TEST(KnownAnswers, A5FanoutCopiesAndTopicDoesNotDouble) {
  const Json result = run_experiment_file("known-answers/a5");
  const Json fanout = run_of(result, "fanout");
  const Json topic = run_of(result, "topic");
  expect_valid(fanout);
  expect_valid(topic);
  EXPECT_EQ(fanout["ledger"]["deliveries"].get<std::int64_t>(),
            3 * fanout["ledger"]["published"].get<std::int64_t>());
  EXPECT_EQ(topic["ledger"]["deliveries"], topic["ledger"]["published"]);
  EXPECT_GT(topic["ledger"]["published"], 0);
}

TEST(KnownAnswers, T1RampPublishesTheExactNumber) {
  const Json run = run_of(run_experiment_file("known-answers/t1-short"));
  expect_valid(run);
  EXPECT_EQ(run["ledger"]["published"], 3300);
  EXPECT_EQ(run["ledger"]["unique"], 3300);
}

TEST(KnownAnswers, Q1NoWaitBelowCapacity) {
  const Json run = run_of(run_experiment_file("known-answers/q1"));
  expect_valid(run);
  // The wait is what lies between a message's due time and the start of its work.
  const double wait_ns = number(run, "/latency/done/mean_ns") - number(run, "/latency/service/mean_ns");
  EXPECT_LT(wait_ns, 2 * kMs);
}

// A task costs its worker the work and the turnaround; both were measured in the same run, and so are known
// to the law.
TEST(KnownAnswers, Q2WaitGrowsByTheLawBeyondCapacity) {
  const Json run = run_of(run_experiment_file("known-answers/q2"));
  expect_valid(run);
  EXPECT_EQ(run["ledger"]["unique"], 1500);
  const double delta_ms =
      (number(run, "/theory/0/service/mean_ns") + number(run, "/theory/0/service/turnaround_ns")) / kMs - 50;
  EXPECT_GE(delta_ms, 0);
  const double mean_ms = 1870 + 187 * delta_ms, longest_ms = 3740 + 374 * delta_ms;
  expect_within(number(run, "/latency/end_to_end/mean_ns") / kMs, mean_ms, 0.03);
  expect_within(number(run, "/latency/end_to_end/max_ns") / kMs, longest_ms, 0.03);
  // The run's own messages through one line, and the law, say what was measured.
  EXPECT_NEAR(number(run, "/theory/0/replay/error/mean"), 0, 0.03);
  EXPECT_NEAR(number(run, "/theory/0/model/error/mean"), 0, 0.03);
  EXPECT_EQ(run["theory"][0]["model"]["name"], "D/D/4");
}

TEST(KnownAnswers, D2UnroutableShareIsBinomial) {
  const Json run = run_of(run_experiment_file("known-answers/d2"));
  const double published = number(run, "/ledger/published");
  const double returned = number(run, "/ledger/returned");
  const double deviation = std::sqrt(published * 0.25);
  EXPECT_GE(published, 1000);
  EXPECT_NEAR(returned, published / 2, 2.576 * deviation);  // the binomial 99 % interval
  EXPECT_EQ(run["ledger"]["unique"].get<double>(), published - returned);
  EXPECT_EQ(run["ledger"]["lost"], 0);  // unroutable is reported as such, not as lost
}

}  // namespace
}  // namespace brokerlab
