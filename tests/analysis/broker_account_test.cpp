// What the broker told of itself, put together; and whether it can be true.
#include "analysis/broker_account.h"

#include <gmock/gmock.h>

#include "analysis/summary.h"
#include "tests/analysis/recorded_fixture.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;

class BrokerAccounts : public RecordedFixture {
 protected:
  BrokerAccounts() {
    evidence["broker"] = {{"interval_ns", 100 * kMs},
                          {"queues", {"tasks"}},
                          {"queue_count", 1},
                          {"absent", Json::array()},
                          {"samples", Json::array()}};
    evidence["queues"][0]["ready_at_start"] = 0;
    evidence["queues"][0]["dead_letter_queues"] = Json::array();
  }

  Json& sample(std::int64_t round, const std::string& source, Nanoseconds at, const Json& figures) {
    Json json = {{"round", round}, {"source", source}, {"node", "n1"}, {"at_ns", kStart + at}};
    json.update(figures);
    evidence["broker"]["samples"].push_back(std::move(json));
    return evidence["broker"]["samples"].back();
  }
  void process(std::int64_t round, Nanoseconds at, std::int64_t pid, Nanoseconds cpu) {
    sample(round, "process", at, {{"pid", pid}, {"cpu_ns", cpu}, {"resident_bytes", 1000}});
  }
  void depth(std::int64_t round, Nanoseconds at, std::int64_t ready, std::int64_t unacked) {
    sample(round, "node", at, {{"within_ns", kMs}, {"cores", 2}, {"queues", {{0, ready, unacked}}}});
  }
  void failure(std::int64_t round, const std::string& source, Nanoseconds at) {
    sample(round, source, at, {{"failed", "the node is not running"}});
  }

  // 200 messages at one per 2 ms; half of them are acknowledged 2 ms after they were due, the others stay
  // until 700 ms.
  void half_is_worked_off_late() {
    RecordingWriter& load_writer = load();
    RecordingWriter& role_writer = role("worker-0", 0);
    for (std::uint32_t i = 0; i < 200; ++i) {
      publish(load_writer, i, 2 * kMs * i);
      const Nanoseconds received = i % 2 == 0 ? 2 * kMs * i + 2 * kMs : 700 * kMs;
      deliver(role_writer, i, 2 * kMs * i, received);
    }
    close();
  }
  Json summary() {
    Json run = summarise(evidence, folder);
    return run;
  }
};

TEST_F(BrokerAccounts, CpuIsWhatOneProcessUsedBetweenTwoSamples) {
  process(0, 0, 7, 10 * kMs);
  process(1, 100 * kMs, 7, 60 * kMs);   // half a core
  failure(2, "process", 200 * kMs);     // dead
  process(3, 300 * kMs, 9, 500 * kMs);  // another one: what it used before is not of this time
  process(4, 400 * kMs, 9, 650 * kMs);
  const BrokerAccount account(RunEvidence::from_json(evidence));
  ASSERT_EQ(account.nodes().size(), 1U);
  ASSERT_EQ(account.nodes()[0].cpu.size(), 2U);
  EXPECT_DOUBLE_EQ(account.nodes()[0].cpu[0].cores(), 0.5);
  EXPECT_DOUBLE_EQ(account.nodes()[0].cpu[1].cores(), 1.5);
  const Json series = account.series_json(50 * kMs, 500 * kMs);
  EXPECT_EQ(series.at("interval_ns"), 100 * kMs);
  EXPECT_DOUBLE_EQ(series.at("cpu_cores")[0].get<double>(), 0.5);
  EXPECT_TRUE(series.at("cpu_cores")[1].is_null()) << "a dead broker is a gap, not 0";
  EXPECT_TRUE(series.at("cpu_cores")[2].is_null());
  EXPECT_DOUBLE_EQ(series.at("cpu_cores")[3].get<double>(), 1.5);
}

TEST_F(BrokerAccounts, ARoundInWhichANodeDoesNotAnswerHasNoSum) {
  evidence["broker"]["queues"] = {"tasks", "more"};
  evidence["broker"]["queue_count"] = 2;
  const auto of = [&](std::int64_t round, const char* node, Nanoseconds at, const Json& figures) {
    sample(round, "node", at, figures)["node"] = node;
  };
  of(0, "n1", 50 * kMs, {{"queues", {{0, 3, 1}}}});
  of(0, "n2", 51 * kMs, {{"queues", {{1, 10, 2}}}});
  of(1, "n1", 150 * kMs, {{"queues", {{0, 4, 1}}}});
  of(1, "n2", 151 * kMs, {{"failed", "the node is not running"}});
  const BrokerAccount account(RunEvidence::from_json(evidence));
  ASSERT_EQ(account.depths().size(), 2U);
  EXPECT_EQ(account.depths()[0].ready, 13);
  EXPECT_EQ(account.depths()[0].unacked, 3);
  EXPECT_FALSE(account.depths()[1].ready.has_value());
  const Json series = account.series_json(100 * kMs, 300 * kMs);
  EXPECT_EQ(series.at("ready")[0], 13);
  EXPECT_TRUE(series.at("ready")[1].is_null());
  EXPECT_EQ(series.at("queues")[0].at("name"), "more") << "the deepest first";
  const Json summed = account.to_json();
  EXPECT_EQ(summed.at("depth_max"), 16);
  EXPECT_EQ(summed.at("gaps"), 1);
}

TEST_F(BrokerAccounts, TheDepthsMatchTheRecordings) {
  half_is_worked_off_late();
  depth(0, 201 * kMs, 40, 11);  // 101 sent, 50 of them done
  depth(1, 650 * kMs, 0, 100);
  const Json run = summary();
  EXPECT_EQ(state(run, "BROKER_DEPTH_MISMATCH"), "pass") << flag(run, "BROKER_DEPTH_MISMATCH");
  EXPECT_EQ(run.at("broker").at("depth_max"), 100);
  EXPECT_TRUE(run.at("series").contains("broker"));
}

TEST_F(BrokerAccounts, DepthsThatCannotBeAreTold) {
  half_is_worked_off_late();
  depth(0, 201 * kMs, 40, 11);
  depth(1, 650 * kMs, 0, 60);  // 100 are confirmed and nobody has acknowledged them
  const Json run = summary();
  EXPECT_EQ(state(run, "BROKER_DEPTH_MISMATCH"), "fail");
  EXPECT_DOUBLE_EQ(flag(run, "BROKER_DEPTH_MISMATCH").at("value").get<double>(), 0.4);
  EXPECT_THAT(flag(run, "BROKER_DEPTH_MISMATCH").at("detail").get<std::string>(),
              HasSubstr("0.650 s after the start the broker told of 60 messages in the queues"));
}

TEST_F(BrokerAccounts, MoreThanWasEverSentIsTold) {
  half_is_worked_off_late();
  depth(0, 101 * kMs, 80, 0);  // 51 were sent
  EXPECT_EQ(state(summary(), "BROKER_DEPTH_MISMATCH"), "fail");
}

TEST_F(BrokerAccounts, NothingIsSaidWhereSomethingElseMovesMessages) {
  half_is_worked_off_late();
  Json& told = sample(0, "management", 650 * kMs, {{"queues", {{0, 0, 60}}}});
  told["lag_ns"] = 5 * kNanosecondsPerSecond;
  EXPECT_EQ(state(summary(), "BROKER_DEPTH_MISMATCH"), "unmeasured") << "it may be of five seconds ago";
  told.erase("lag_ns");
  EXPECT_EQ(state(summary(), "BROKER_DEPTH_MISMATCH"), "fail");
  evidence["queues"][0]["arguments"] = {{"x-message-ttl", 100}};
  const Json run = summary();
  EXPECT_EQ(state(run, "BROKER_DEPTH_MISMATCH"), "unmeasured");
  EXPECT_THAT(flag(run, "BROKER_DEPTH_MISMATCH").at("detail").get<std::string>(), HasSubstr("tasks"));
}

TEST_F(BrokerAccounts, ABrokerThatUsesWhatWeLeaveOfTheHostIsTheBottleneck) {
  half_is_worked_off_late();
  evidence["phases"]["load_end_ns"] = kStart + 400 * kMs;
  for (int i = 0; i <= 4; ++i) process(i, 100 * kMs * i, 7, 195 * kMs * i);
  depth(0, 100 * kMs, 1, 0);
  const Json run = summary();
  EXPECT_EQ(state(run, "BROKER_CPU"), "fail") << flag(run, "BROKER_CPU");
  EXPECT_THAT(flag(run, "BROKER_CPU").at("detail").get<std::string>(), HasSubstr("1.95 of 2 cores"));
}

TEST_F(BrokerAccounts, AlarmsAndFlowAreSharesOfTheSamples) {
  half_is_worked_off_late();
  for (int i = 0; i < 4; ++i) {
    sample(i, "node", 100 * kMs * i,
           {{"memory_alarm", i == 2}, {"connections_in_flow", i}, {"channels_in_flow", 0}});
  }
  const Json run = summary();
  EXPECT_DOUBLE_EQ(flag(run, "BROKER_ALARM").at("value").get<double>(), 0.25);
  EXPECT_EQ(state(run, "BROKER_ALARM"), "fail");
  EXPECT_DOUBLE_EQ(flag(run, "BROKER_FLOW").at("value").get<double>(), 0.75);
  EXPECT_EQ(state(run, "BROKER_CPU"), "unmeasured");
}

TEST_F(BrokerAccounts, ABrokerThatWasNotAskedIsUnmeasuredAndSaysWhy) {
  half_is_worked_off_late();
  evidence["broker"]["absent"] = {{{"figures", "all"}, {"reason", "broker.watch.enabled is false"}}};
  const Json run = summary();
  for (const char* name : {"BROKER_CPU", "BROKER_ALARM", "BROKER_FLOW", "BROKER_DEPTH_MISMATCH"})
    EXPECT_EQ(state(run, name), "unmeasured");
  EXPECT_FALSE(run.at("series").contains("broker"));
  EXPECT_EQ(run.at("broker").at("absent")[0].at("reason"), "broker.watch.enabled is false");
}

}  // namespace
}  // namespace brokerlab
