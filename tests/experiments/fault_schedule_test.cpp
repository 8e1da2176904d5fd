#include "experiments/fault_schedule.h"

#include <gmock/gmock.h>

#include <csignal>

#include "amqp/uri.h"
#include "broker/ports.h"
#include "core/error.h"
#include "experiments/fault_kind.h"
#include "experiments/partition_fault.h"
#include "tests/experiments/fake_targets.h"

namespace brokerlab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Nanoseconds kMillisecond = 1'000'000;

PlannedFault fault_of(const std::string& kind, const std::string& target, Nanoseconds at_ms = 0) {
  PlannedFault fault;
  fault.at_ns = at_ms * kMillisecond;
  fault.kind = kind;
  fault.target = target;
  fault.mode = "one";
  fault.settings = Json::object();
  if (target != "broker") fault.processes = {target + "-0"};
  return fault;
}

class FaultScheduleTest : public testing::Test {
 protected:
  ~FaultScheduleTest() override {
    schedule_.reset();
    targets_.run_out();
  }

  void start(const std::vector<PlannedFault>& faults) {
    schedule_ = std::make_unique<FaultSchedule>(targets_.loop(), targets_.clock(), targets_, faults);
    t0_ = targets_.clock().now();
    schedule_->start(t0_);
  }
  // Runs the loop until `what` holds, at most five seconds.
  template <class What>
  bool until(What&& what) {
    const Nanoseconds end = targets_.clock().now() + 5 * kNanosecondsPerSecond;
    while (!what() && targets_.clock().now() < end) targets_.turn();
    return what();
  }
  Json record(std::size_t strike = 0) { return schedule_->report().at(strike); }

  FakeTargets targets_;
  std::unique_ptr<FaultSchedule> schedule_;
  Nanoseconds t0_ = 0;
};

TEST_F(FaultScheduleTest, APauseIsContinuedAfterItsDurationAndBothAreOnRecord) {
  PlannedFault pause = fault_of("pause", "w", 20);
  pause.duration_ns = 30 * kMillisecond;
  start({pause});
  EXPECT_TRUE(schedule_->quiet());  // nothing has happened yet
  ASSERT_TRUE(until([&] { return targets_.done.size() == 1; }));
  EXPECT_FALSE(schedule_->quiet());
  ASSERT_TRUE(until([&] { return !record()["ended_ns"].is_null(); }));
  EXPECT_TRUE(schedule_->quiet());
  EXPECT_THAT(targets_.done,
              ElementsAre("w-0 signal " + std::to_string(SIGSTOP), "w-0 signal " + std::to_string(SIGCONT)));
  EXPECT_EQ(record()["scheduled_at_ns"], 20 * kMillisecond);
  EXPECT_EQ(record()["scheduled_end_ns"], 50 * kMillisecond);
  EXPECT_GE(record()["started_ns"].get<Nanoseconds>(), t0_ + 20 * kMillisecond);
  EXPECT_GE(record()["ended_ns"].get<Nanoseconds>(),
            record()["started_ns"].get<Nanoseconds>() + 30 * kMillisecond);
}

TEST_F(FaultScheduleTest, WhatStillLastsIsHealedAndWhatHasNotBegunIsForgotten) {
  PlannedFault pause = fault_of("pause", "w");
  pause.duration_ns = 3600 * kNanosecondsPerSecond;
  PlannedFault later = fault_of("kill", "v", 3'600'000);
  start({pause, later});
  ASSERT_TRUE(until([&] { return targets_.done.size() == 1; }));
  schedule_->heal();
  schedule_->heal();
  EXPECT_THAT(targets_.done,
              ElementsAre("w-0 signal " + std::to_string(SIGSTOP), "w-0 signal " + std::to_string(SIGCONT)));
  EXPECT_TRUE(schedule_->settled());
  EXPECT_FALSE(record(0)["ended_ns"].is_null());
  EXPECT_TRUE(record(1)["started_ns"].is_null());
}

TEST_F(FaultScheduleTest, AKilledProcessComesBackUnlessTheRunIsOver) {
  PlannedFault kill = fault_of("kill", "w");
  kill.restart_after_ns = 10 * kMillisecond;
  PlannedFault too_late = fault_of("kill", "v");
  too_late.restart_after_ns = 3600 * kNanosecondsPerSecond;
  start({kill, too_late});
  ASSERT_TRUE(until([&] { return !record(0)["ended_ns"].is_null(); }));
  schedule_->heal();
  EXPECT_THAT(targets_.done,
              ElementsAre("w-0 is to end", "w-0 signal " + std::to_string(SIGKILL), "v-0 is to end",
                          "v-0 signal " + std::to_string(SIGKILL), "w-0 restarted"));
  EXPECT_TRUE(record(1)["ended_ns"].is_null());
}

TEST_F(FaultScheduleTest, NobodyToHitIsSaidAndIsNoStart) {
  targets_.alive = false;
  start({fault_of("kill", "w")});
  ASSERT_TRUE(until([&] { return record().contains("not_done"); }));
  EXPECT_EQ(record()["not_done"], "no such process is alive");
  EXPECT_TRUE(record()["started_ns"].is_null());
  EXPECT_THAT(targets_.notices, ElementsAre(HasSubstr("fault kill of w not done: no such process is alive")));
}

TEST_F(FaultScheduleTest, ANodeIsRestartedOnceItHasEndedAndTheFaultIsOverWhenItAnswers) {
  PlannedFault stop = fault_of("stop", "broker");
  stop.instance = 1;
  stop.restart_after_ns = 5 * kMillisecond;
  targets_.broker.running_nodes = {true, true, true};
  start({stop});
  ASSERT_TRUE(until([&] { return targets_.broker.done.size() == 1; }));
  EXPECT_TRUE(until([&] { return targets_.clock().now() > t0_ + 250 * kMillisecond; }));
  EXPECT_THAT(targets_.broker.done, ElementsAre("terminate 1"));  // still on its way down
  targets_.broker.running_nodes[1] = false;
  targets_.broker.answers = false;
  ASSERT_TRUE(until([&] { return targets_.broker.done.size() == 2; }));
  EXPECT_THAT(targets_.broker.done, ElementsAre("terminate 1", "restart 1"));
  EXPECT_FALSE(schedule_->quiet());
  EXPECT_TRUE(record()["ended_ns"].is_null());
  targets_.broker.answers = true;
  EXPECT_TRUE(until([&] { return schedule_->quiet(); }));
  EXPECT_FALSE(record()["ended_ns"].is_null());
  EXPECT_THAT(record()["details"]["nodes"], ElementsAre("lab2@localhost"));
}

TEST_F(FaultScheduleTest, ABrokerKilledForGoodComesBackWhenTheRunIsOver) {
  PlannedFault kill = fault_of("kill", "broker");
  kill.mode = "all";
  start({kill});
  ASSERT_TRUE(until([&] { return !record()["ended_ns"].is_null(); }));
  EXPECT_TRUE(schedule_->quiet());
  EXPECT_THAT(targets_.broker.done, ElementsAre("kill 0", "kill 1", "kill 2"));
  schedule_->heal();
  EXPECT_TRUE(until([&] { return schedule_->settled(); }));
  EXPECT_THAT(targets_.broker.done,
              ElementsAre("kill 0", "kill 1", "kill 2", "restart 0", "restart 1", "restart 2"));
}

// The proxy is real; the broker behind it is not needed to see whether it takes connections.
TEST_F(FaultScheduleTest, TheNetworkIsDownForItsDurationAndOnlyForWhomItHits) {
  PlannedFault down = fault_of("down", "w", 10);
  down.duration_ns = 40 * kMillisecond;
  down.settings = {{"kind", "down"}};
  start({down});
  const std::string broker = targets_.broker_uris().front();
  EXPECT_THAT(targets_.network().uris("other-0"), ElementsAre(broker));
  const amqp::Uri diverted = amqp::Uri::parse(targets_.network().uris("w-0").at(0));
  EXPECT_NE(diverted.port, amqp::Uri::parse(broker).port);
  EXPECT_FALSE(port_is_free(diverted.port));
  ASSERT_TRUE(until([&] { return !record()["started_ns"].is_null(); }));
  EXPECT_TRUE(port_is_free(diverted.port));
  ASSERT_TRUE(until([&] { return !record()["ended_ns"].is_null(); }));
  EXPECT_FALSE(port_is_free(diverted.port));
  EXPECT_EQ(record()["details"]["connections_cut"], 0);
}

TEST_F(FaultScheduleTest, ANetworkThatIsDownWithoutEndIsHealed) {
  PlannedFault down = fault_of("down", "w");
  down.settings = {{"kind", "down"}};
  start({down});
  ASSERT_TRUE(until([&] { return !record()["started_ns"].is_null(); }));
  schedule_->heal();
  EXPECT_FALSE(port_is_free(amqp::Uri::parse(targets_.network().uris("w-0").at(0)).port));
  EXPECT_FALSE(record()["ended_ns"].is_null());
}

TEST_F(FaultScheduleTest, ABrokerThatIsNotOursIsNotBroken) {
  targets_.ours = false;
  EXPECT_THROW(start({fault_of("kill", "broker")}), Error);
  EXPECT_THAT(targets_.broker.done, IsEmpty());
}

TEST_F(FaultScheduleTest, AHungProcessIsToldWhenItIsEnough) {
  PlannedFault hang = fault_of("hang", "w");
  hang.duration_ns = 3600 * kNanosecondsPerSecond;
  PlannedFault slow = fault_of("slow", "v");
  slow.settings = {{"factor", 2.5}, {"add", "10ms"}};
  slow.duration_ns = 5 * kMillisecond;
  start({hang, slow});
  ASSERT_TRUE(until([&] { return !record(1)["ended_ns"].is_null(); }));
  schedule_->heal();
  EXPECT_THAT(
      targets_.done,
      ElementsAre(R"(w-0 told {"hang":true})", R"(v-0 told {"slow":{"factor":2.5,"add_ns":10000000}})",
                  R"(v-0 told {"slow":{"factor":1.0,"add_ns":0}})", R"(w-0 told {"hang":false})"));
}

TEST_F(FaultScheduleTest, AnAlarmStartsWhenTheNodeSaysSoAndEndsLikewise) {
  PlannedFault alarm = fault_of("memory-alarm", "broker");
  alarm.duration_ns = 20 * kMillisecond;
  auto& erlang = targets_.broker.erlang;
  erlang.answers = {std::nullopt, std::nullopt, "true", std::nullopt, "false"};
  start({alarm});
  ASSERT_TRUE(until([&] { return erlang.answers.size() == 3; }));
  EXPECT_TRUE(targets_.notices.empty());  // it has not come into force
  ASSERT_TRUE(until([&] { return !record()["ended_ns"].is_null(); }));
  ASSERT_EQ(erlang.asked.size(), 2U);
  EXPECT_THAT(erlang.asked[0],
              HasSubstr("0: vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1000000})"));
  EXPECT_THAT(erlang.asked[1], HasSubstr("application:get_env(rabbit, vm_memory_high_watermark)"));
}

TEST_F(FaultScheduleTest, AnAlarmThatDoesNotGoOffIsSaidAndTheLimitIsRestored) {
  PlannedFault alarm = fault_of("disk-alarm", "broker");
  alarm.duration_ns = 20 * kMillisecond;
  targets_.broker.erlang.answers = {"false"};
  start({alarm});
  ASSERT_TRUE(until([&] { return record().contains("not_done"); }));
  EXPECT_EQ(record()["not_done"], "the alarm did not go off");
  EXPECT_THAT(targets_.broker.erlang.asked.back(), HasSubstr("get_env(rabbit, disk_free_limit)"));
}

TEST_F(FaultScheduleTest, APartitionIsOverWhenEveryNodeSeesTheOthersAgain) {
  PlannedFault partition = fault_of("partition", "broker");
  partition.duration_ns = 10 * kMillisecond;
  auto& erlang = targets_.broker.erlang;
  // Cut twice, mended twice, then each of the three is asked, twice.
  erlang.answers = {"true", "true", "true", "true", "2", "1", "2", "2", "2", "2"};
  start({partition});
  ASSERT_TRUE(until([&] { return !record()["ended_ns"].is_null(); }));
  ASSERT_EQ(erlang.asked.size(), 10U);
  EXPECT_THAT(erlang.asked[0], HasSubstr("0: erlang:set_cookie('lab2@localhost', brokerlab_cut)"));
  EXPECT_THAT(erlang.asked[2], HasSubstr("0: erlang:set_cookie('lab2@localhost', erlang:get_cookie())"));
  EXPECT_EQ(record()["details"]["cut"],
            Json::parse(R"([["lab1@localhost", "lab2@localhost"], ["lab1@localhost", "lab3@localhost"]])"));
}

// Its start is the moment at which the node is told to close, after it has been asked what there is to close.
TEST_F(FaultScheduleTest, ConnectionsAreLookedForThenClosedAndDatedByTheOrder) {
  auto& erlang = targets_.broker.erlang;
  erlang.answers = {std::nullopt, "2", std::nullopt, std::nullopt, "2"};
  PlannedFault close = fault_of("close-connection", "w");
  close.processes = {"w-0", "w-1"};
  start({close});
  ASSERT_TRUE(until([&] { return erlang.asked.size() == 2; }));
  const Nanoseconds told = targets_.clock().now();
  ASSERT_TRUE(until([&] { return !record()["ended_ns"].is_null(); }));
  EXPECT_THAT(erlang.asked[0], HasSubstr("lists:member(Name, [<<\"w-0\">>, <<\"w-1\">>])], length(Hit)."));
  EXPECT_THAT(erlang.asked[1], HasSubstr("rabbit_networking:close_connection(Pid, "));
  EXPECT_EQ(record()["details"]["connections"], 2);
  EXPECT_LE(record()["started_ns"], told);
  EXPECT_GT(record()["ended_ns"], told);
}

TEST_F(FaultScheduleTest, ConnectionsThatTheBrokerDoesNotKnowAreSaid) {
  targets_.broker.erlang.answers = {"0", "0"};
  start({fault_of("close-connection", "w")});
  ASSERT_TRUE(until([&] { return record().contains("not_done"); }));
  EXPECT_THAT(record()["not_done"].get<std::string>(), HasSubstr("no connection of w"));
}

TEST(Partitions, CutWhatTheirShapeSays) {
  using Links = std::vector<std::pair<std::size_t, std::size_t>>;
  EXPECT_EQ(links_cut("halves", 3, 1), (Links{{0, 1}, {0, 2}}));
  EXPECT_EQ(links_cut("halves", 4, 1), (Links{{0, 2}, {0, 3}, {1, 2}, {1, 3}}));
  EXPECT_EQ(links_cut("random-node", 3, 1).size(), 2U);
  EXPECT_EQ(links_cut("random-node", 5, 7), links_cut("random-node", 5, 7));
  EXPECT_EQ(links_cut("majorities-ring", 3, 1), (Links{{0, 2}}));
  for (const std::size_t nodes : {3U, 5U}) {  // each still sees a majority
    std::vector<std::size_t> seen(nodes, nodes);
    for (const auto& [a, b] : links_cut("majorities-ring", nodes, 1)) --seen[a], --seen[b];
    for (const std::size_t count : seen) EXPECT_GT(count, nodes / 2) << nodes;
  }
}

TEST(FaultRights, ABrokerThatIsNotOurs) {
  PlannedRun run;
  run.faults = {fault_of("kill", "w")};
  EXPECT_NO_THROW(refuse_faults_on_foreign_broker(run, false));
  run.faults = {fault_of("close-connection", "w")};
  EXPECT_NO_THROW(refuse_faults_on_foreign_broker(run, true));
  EXPECT_THROW(refuse_faults_on_foreign_broker(run, false), Error);
  for (const char* kind : {"kill", "pause", "partition", "disk-alarm"}) {
    run.faults = {fault_of(kind, "broker")};
    EXPECT_THROW(refuse_faults_on_foreign_broker(run, true), Error) << kind;
  }
}

}  // namespace
}  // namespace brokerlab
