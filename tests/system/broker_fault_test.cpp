// Faults of processes and of the broker on a real RabbitMQ, and the answers that are known beforehand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

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

// Known: some 5 ms (of 216 kills on a quiet machine the median was 1.9 ms, the longest 19 ms; of 126 beside
// six compilers 2.0 and 13 ms). One kill may fall into a pause of the machine; of seven the one in the middle
// does not, and is of that order of magnitude. Who is killed has work in hand, and three remain to take it.
TEST(BrokerFaults, AKilledWorkersMessagesAreRedeliveredAtOnceAndAreThoseItHad) {
  constexpr int kKills = 7;
  Json setup = Json::parse(R"({
    "name": "fault", "topology": {"queues": [{"name": "jobs", "durable": true}]},
    "load": [{"name": "producer", "arrivals": {"process": "burst", "size": 400, "every": "10s"},
              "publish": {"routing_key": "jobs", "persistent": true}}],
    "roles": [{"role": "worker", "instances": 12, "processes": 12, "consume": {"queue": "jobs", "ack": "manual"},
               "effort": {"kind": "sleep", "seconds": "60ms"}}],
    "phases": {"measure": "2s"}})");
  for (int i = 0; i < kKills; ++i) {
    setup["faults"].push_back({{"at", std::to_string(200 + 250 * i) + "ms"},
                               {"kind", "kill"},
                               {"target", "worker"},
                               {"instance", i}});
  }
  const Json run = run_of(on_shared_broker(setup.dump()));
  std::vector<std::int64_t> first;
  std::int64_t unacked = 0, redelivered = 0;
  for (const Json& recovery : run.at("recovery")) {
    EXPECT_GT(recovery.at("unacked"), 0);
    // Everything it had received comes again; so does what was still on its way to it when it died.
    EXPECT_EQ(recovery.at("unacked_redelivered"), recovery.at("unacked"));
    unacked += recovery.at("unacked").get<std::int64_t>();
    redelivered += recovery.at("redelivered").get<std::int64_t>();
    // Without one before the next kill it was late indeed.
    first.push_back(recovery.value("first_redelivery_ns", kSecond));
    EXPECT_GT(first.back(), 0) << "not before the kill";
  }
  EXPECT_GE(redelivered, unacked);
  ASSERT_EQ(first.size(), kKills);
  std::sort(first.begin(), first.end());
  printf("redelivered after %.2f ms (median of %d kills; %.2f to %.2f ms)\n",
         static_cast<double>(first[kKills / 2]) / kMs, kKills, static_cast<double>(first.front()) / kMs,
         static_cast<double>(first.back()) / kMs);
  EXPECT_LT(first[kKills / 2], 20 * kMs);
  EXPECT_EQ(run.at("ledger").at("lost"), 0);
}

// When the broker last heard of the process: its last acknowledgement before that time, by the history.
std::int64_t last_word_of(const std::string& process, std::int64_t before,
                          const std::filesystem::path& folder) {
  const ProgramResult exported =
      run_program({"export", folder.string(), "--format", "history"}, folder.parent_path());
  EXPECT_EQ(exported.status, 0) << exported.err;
  std::istringstream lines(exported.out);
  std::int64_t last = 0;
  for (std::string line; std::getline(lines, line);) {
    const Json entry = Json::parse(line, nullptr, false);
    if (entry.value("f", "") != "handle" || entry.value("process", "") != process) continue;
    const auto at = entry.at("time_ns").get<std::int64_t>();
    if (entry.at("type") == "ok" && at < before) last = std::max(last, at);
  }
  return last;
}

// Known: after two to three heartbeats, counted from the last byte. The broker looks once per heartbeat
// whether any has come, and gives up at the second look in a row that finds none: so it is no matter of
// speed.
TEST(BrokerFaults, APausedWorkerIsTakenForDeadAfterTwoToThreeHeartbeats) {
  constexpr std::int64_t kHeartbeat = 2 * kSecond;
  const ScratchFolder folder;
  folder.write("fault.json",
               experiment(R"(, "ack": "manual", "prefetch": 5)", 60, "30ms",
                          R"({"at": "1s", "kind": "pause", "target": "worker", "duration": "8s"})",
                          R"(, "phases": {"measure": "8s"}, "broker": {"heartbeat": "2s"})"));
  const ProgramResult program =
      run_program({"run", "fault.json", "--json", "--broker", shared_broker()}, folder.path());
  ASSERT_EQ(program.status, 0) << program.err;
  const Json run = run_of(Json::parse(program.out));
  const Json& recovery = run.at("recovery").at(0);
  EXPECT_GT(recovery.at("redelivered"), 0);
  const auto paused = recovery.at("at_ns").get<std::int64_t>();
  const auto results = std::filesystem::directory_iterator(folder.path() / "results" / "fault");
  const std::int64_t last_word = last_word_of("worker-0", paused, results->path());
  ASSERT_GT(last_word, paused - kHeartbeat / 2) << "it was at work when it was paused";
  const std::int64_t waited = paused + recovery.at("first_redelivery_ns").get<std::int64_t>() - last_word;
  printf("redelivered %.2f heartbeats after the last byte\n",
         static_cast<double>(waited) / static_cast<double>(kHeartbeat));
  EXPECT_GE(waited, 2 * kHeartbeat);
  EXPECT_LT(waited, 3 * kHeartbeat + kSecond / 4) << "the third, and what a redelivery takes";
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
  // The broker says so itself: asked twice a second, of these three it was in alarm for one.
  EXPECT_GT(flag(run, "BROKER_ALARM"), 0);
  EXPECT_LT(flag(run, "BROKER_ALARM"), 1);
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

// The broker is asked by its management API, which lists a connection some seconds after it was opened.
TEST(BrokerFaults, ConnectionsOfABrokerThatIsNotOursAreClosedByItsManagement) {
  const ScratchFolder folder;
  folder.write("close.json",
               experiment(R"(, "ack": "manual", "prefetch": 5)", 100, "5ms",
                          R"({"at": "100ms", "kind": "close-connection", "target": "worker", "mode": "all"})",
                          R"(, "phases": {"measure": "6s"})"));
  const ProgramResult program = run_program({"run", "close.json", "--json", "--broker", shared_broker(),
                                             "--management", shared_management(), "--allow-faults"},
                                            folder.path());
  ASSERT_EQ(program.status, 0) << program.err;
  EXPECT_THAT(program.err, HasSubstr("320 CONNECTION_FORCED - closed by a declared fault"));
  const Json result = Json::parse(program.out);
  const Json run = run_of(result);
  const Json& fault = run.at("faults").at(0);
  EXPECT_EQ(fault.at("details").at("connections"), 3) << fault;
  EXPECT_EQ(flag(run, "RECONNECT"), 3) << "the workers', and not the producer's";
  // Nothing that follows from the fault is dated before it.
  for (const Json& interval : run.at("downtime")) {
    EXPECT_GE(interval.at("from_ns"), fault.at("at_ns")) << interval;
    EXPECT_TRUE(interval.contains("to_ns")) << interval;
  }
  EXPECT_TRUE(run.at("recovery").at(0).contains("reconnected_ns"));
  EXPECT_EQ(run.at("ledger").at("lost"), 0);
  EXPECT_EQ(result.at("verdict").at("status"), "valid");
  EXPECT_EQ(result.at("environment").at("broker").at("nodes"), 1);
}

// Queues live on the first node; workers and producers are spread. While that node is away, a binding is due
// to come. The partition cuts off another node.
TEST(BrokerFaults, AClusterLosesANodeAndIsPartitionedAndLosesNoMessage) {
  const Json result = on_own_broker(R"({
  "name": "fault", "broker": {"nodes": 3},
  "topology": {"exchanges": [{"name": "late", "type": "direct", "durable": true}],
               "queues": [{"name": "jobs", "durable": true, "arguments": {"x-queue-type": "quorum"}}],
               "bindings": [{"exchange": "late", "queue": "jobs", "routing_key": "jobs", "from": "3s"}]},
  "load": [{"name": "producer", "instances": 3, "processes": 3, "arrivals": {"process": "constant", "rate": 100},
            "publish": {"routing_key": "jobs", "persistent": true}},
           {"name": "latecomer", "arrivals": {"process": "constant", "rate": 20},
            "publish": {"exchange": "late", "routing_key": "jobs", "persistent": true}}],
  "roles": [{"role": "worker", "instances": 3, "processes": 3, "consume": {"queue": "jobs", "ack": "manual", "prefetch": 5}}],
  "faults": [{"at": "1s", "kind": "kill", "target": "broker", "restart_after": "500ms"},
             {"at": "20s", "kind": "partition", "target": "broker", "shape": "random-node", "duration": "2s"}],
  "seed": 2, "phases": {"measure": "24s", "drain": "60s"}})",
                                    240);
  const Json run = run_of(result);
  EXPECT_EQ(run.at("faults").at(0).at("details").at("nodes"), Json::array({"lab1@localhost"}));
  EXPECT_EQ(run.at("faults").at(1).at("details").at("cut"),
            Json::array({{"lab1@localhost", "lab2@localhost"}, {"lab2@localhost", "lab3@localhost"}}));
  for (const Json& fault : run.at("faults")) EXPECT_TRUE(fault.contains("ended_ns")) << fault.dump();
  // The node that died is a gap in what the broker tells for as long as it takes to boot, and comes back.
  const Json& told = run.at("series").at("broker").at("nodes");
  ASSERT_EQ(told.size(), 3U);
  const Json& memory = told[0].at("memory_bytes");
  const auto half = memory.begin() + static_cast<std::ptrdiff_t>(memory.size() / 2);
  EXPECT_TRUE(std::any_of(memory.begin(), half, [](const Json& point) { return point.is_null(); })) << memory;
  EXPECT_TRUE(std::any_of(half, memory.end(), [](const Json& point) { return point.is_number(); })) << memory;
  EXPECT_GT(run.at("broker").at("gaps"), 0);
  EXPECT_GE(flag(run, "RECONNECT"), 2);  // those at the first node, and nobody was left without one
  EXPECT_EQ(run.at("ledger").at("lost"), 0);
  EXPECT_EQ(run.at("ledger").at("unexpected"), 0);
  EXPECT_EQ(run.at("ledger").at("published"), 7200 + 480);
  // Returned is what was published before the binding came, and it came before the lost node did.
  const double away_s = run.at("faults").at(0).at("ended_ns").get<double>() / kSecond;
  EXPECT_GE(run.at("ledger").at("returned"), 50);
  EXPECT_LT(run.at("ledger").at("returned").get<double>(), 20 * (away_s - 1));
  EXPECT_EQ(result.at("verdict").at("status"), "valid");
}

}  // namespace
}  // namespace brokerlab
