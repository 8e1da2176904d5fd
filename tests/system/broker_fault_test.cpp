// Faults of processes and of the broker on a real RabbitMQ, and the answers that are known beforehand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;

// `rest` are further keys of the experiment.
std::string experiment(const std::string& consume, double rate, const std::string& effort,
                       const std::string& faults, const std::string& rest) {
  return R"({
  "name": "fault",
  "topology": {"queues": [{"name": "jobs", "durable": true}]},
  "load": [{"name": "producer", "arrivals": {"process": "constant", "rate": )" +
         std::to_string(rate) + R"(}, "publish": {"routing_key": "jobs", "persistent": true}}],
  "roles": [{"role": "worker", "instances": 3, "processes": 3, "consume": {"queue": "jobs")" +
         consume + R"(}, "effort": {"kind": "sleep", "seconds": ")" + effort + R"("}}],
  "faults": [)" +
         faults + "]" + rest + "}";
}

Json on_shared_broker(const std::string& text) {
  const ScratchFolder folder;
  return run_experiment_file(folder.write("fault.json", text).string());
}

// On a private broker of its own: no other may be broken.
Json on_own_broker(const std::string& text, int limit_s = 120) {
  const ScratchFolder folder;
  folder.write("fault.json", text);
  const ProgramResult program = run_program({"run", "fault.json", "--json"}, folder.path(), {}, limit_s);
  EXPECT_EQ(program.status, 0) << program.err;
  return Json::parse(program.out);
}

double flag(const Json& run, const std::string& name) {
  for (const Json& flag : run.at("flags")) {
    if (flag.at("name") == name) return flag.value("value", 0.0);
  }
  return 0;
}

// Known: 5-7 ms. The bound leaves room for a crowded machine and is still far from any timeout's doing.
TEST(BrokerFaults, AKilledWorkersMessagesAreRedeliveredAtOnceAndAreThoseItHad) {
  const Json run = run_of(on_shared_broker(experiment(R"(, "ack": "manual", "prefetch": 100)", 60, "100ms",
                                                      R"({"at": "1s", "kind": "kill", "target": "worker"})",
                                                      R"(, "phases": {"measure": "2s"})")));
  const Json& recovery = run.at("recovery").at(0);
  EXPECT_GT(recovery.at("unacked"), 0);
  // Everything it had received comes again; so does what was still on its way to it when it died.
  EXPECT_EQ(recovery.at("unacked_redelivered"), recovery.at("unacked"));
  EXPECT_GE(recovery.at("redelivered"), recovery.at("unacked"));
  EXPECT_LT(recovery.at("first_redelivery_ns"), 100 * kMs);
  EXPECT_EQ(run.at("ledger").at("lost"), 0);
}

// Known: after two to three heartbeats.
TEST(BrokerFaults, APausedWorkerIsTakenForDeadAfterTwoToThreeHeartbeats) {
  const Json run = run_of(
      on_shared_broker(experiment(R"(, "ack": "manual", "prefetch": 5)", 20, "100ms",
                                  R"({"at": "500ms", "kind": "pause", "target": "worker", "duration": "9s"})",
                                  R"(, "phases": {"measure": "10s"}, "broker": {"heartbeat": "2s"})")));
  const Json& recovery = run.at("recovery").at(0);
  EXPECT_GT(recovery.at("redelivered"), 0);
  EXPECT_GE(recovery.at("first_redelivery_ns"),
            3 * kSecond);  // since the last sign of life, up to one heartbeat before
  EXPECT_LT(recovery.at("first_redelivery_ns"), 8 * kSecond);
  EXPECT_EQ(run.at("ledger").at("lost"), 0);
}

TEST(BrokerFaults, AnAlarmBlocksPublishersForAsLongAsItLastsAndLosesNothing) {
  const Json result = on_own_broker(
      experiment(R"(, "ack": "manual", "prefetch": 50)", 200, "1ms",
                 R"({"at": "500ms", "kind": "memory-alarm", "target": "broker", "duration": "600ms"},
         {"at": "2s", "kind": "disk-alarm", "target": "broker", "duration": "400ms"})",
                 R"(, "phases": {"measure": "3s"})"));
  const Json run = run_of(result);
  const auto lasted = [&](std::size_t i) {
    return run.at("faults").at(i).at("ended_ns").get<double>() -
           run.at("faults").at(i).at("at_ns").get<double>();
  };
  // Blocked from the first publish after the alarm on, unblocked when it is over; one producer.
  const double blocked = flag(run, "CONNECTION_BLOCKED");
  EXPECT_GE(blocked, 0.5 * (lasted(0) + lasted(1)));
  EXPECT_LE(blocked, lasted(0) + lasted(1) + 100.0 * kMs);
  EXPECT_EQ(run.at("ledger").at("published"), 600);
  EXPECT_EQ(run.at("ledger").at("lost"), 0);
  EXPECT_EQ(result.at("verdict").at("status"), "valid");
}

TEST(BrokerFaults, ClosedConnectionsComeBackAndADeletedQueueEndsItsRole) {
  const Json result = on_own_broker(
      experiment(R"(, "ack": "manual", "prefetch": 5)", 100, "50ms",
                 R"({"at": "500ms", "kind": "close-connection", "target": "worker", "mode": "all"},
         {"at": "2500ms", "kind": "delete-queue", "target": "jobs"})",
                 R"(, "phases": {"measure": "3s", "drain": "10s"})"));
  const Json run = run_of(result);
  EXPECT_EQ(run.at("faults").at(0).at("details").at("connections"), 3);
  EXPECT_EQ(flag(run, "RECONNECT"), 3);
  EXPECT_TRUE(run.at("faults").at(1).at("details").contains("messages"));
  EXPECT_GT(run.at("faults").at(1).at("details").at("messages"), 0);
  EXPECT_GT(run.at("ledger").at("returned"), 0);  // published after the queue was gone
  EXPECT_GT(run.at("ledger").at("lost"), 0);
  EXPECT_EQ(run.at("ledger").at("lost"), run.at("ledger").at("lost_by_design"));
  EXPECT_EQ(result.at("verdict").at("status"), "valid") << result.at("verdict").dump();
}

TEST(BrokerFaults, ABrokerThatIsNotOursIsLeftAloneUnlessAllowed) {
  const ScratchFolder folder;
  folder.write(
      "fault.json",
      experiment("", 100, "1ms", R"({"at": "500ms", "kind": "pause", "target": "broker", "duration": "1s"})",
                 R"(, "phases": {"measure": "1s"})"));
  const ProgramResult refused =
      run_program({"run", "fault.json", "--broker", shared_broker(), "--allow-faults"}, folder.path());
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("is not ours to break"));

  folder.write("close.json", experiment("", 100, "1ms",
                                        R"({"at": "500ms", "kind": "close-connection", "target": "worker"})",
                                        R"(, "phases": {"measure": "5s"})"));
  const ProgramResult asked = run_program({"run", "close.json", "--broker", shared_broker()}, folder.path());
  EXPECT_EQ(asked.status, 2);
  EXPECT_THAT(asked.err, HasSubstr("--allow-faults"));
  EXPECT_THAT(asked.err, Not(HasSubstr("starting")));
}

// Queues live on the first node; workers and producer are spread.
TEST(BrokerFaults, AClusterLosesANodeAndIsPartitionedAndLosesNoMessage) {
  const Json result = on_own_broker(R"({
  "name": "fault", "broker": {"nodes": 3},
  "topology": {"queues": [{"name": "jobs", "durable": true, "arguments": {"x-queue-type": "quorum"}}]},
  "load": [{"name": "producer", "instances": 3, "processes": 3, "arrivals": {"process": "constant", "rate": 100},
            "publish": {"routing_key": "jobs", "persistent": true}}],
  "roles": [{"role": "worker", "instances": 3, "processes": 3, "consume": {"queue": "jobs", "ack": "manual", "prefetch": 5}}],
  "faults": [{"at": "1s", "kind": "kill", "target": "broker", "restart_after": "500ms"},
             {"at": "20s", "kind": "partition", "target": "broker", "duration": "2s"}],
  "phases": {"measure": "24s", "drain": "60s"}})",
                                    240);
  const Json run = run_of(result);
  EXPECT_EQ(run.at("faults").at(0).at("details").at("nodes"), Json::array({"lab1@localhost"}));
  EXPECT_EQ(run.at("faults").at(1).at("details").at("cut").size(), 2U);
  for (const Json& fault : run.at("faults")) EXPECT_TRUE(fault.contains("ended_ns")) << fault.dump();
  EXPECT_GE(flag(run, "RECONNECT"), 2);  // those at the first node, and nobody was left without one
  EXPECT_EQ(run.at("ledger").at("lost"), 0);
  EXPECT_EQ(run.at("ledger").at("unexpected"), 0);
  EXPECT_EQ(run.at("ledger").at("published"), 7200);
  EXPECT_EQ(result.at("verdict").at("status"), "valid");
}

}  // namespace
}  // namespace brokerlab
