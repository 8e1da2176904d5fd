// Experiments through the whole of a simulated run: file, plan, virtual time, recordings, result. The same
// known answers as tests/system/known_answers_test.cpp measures on a real broker, and
// those that only a simulation can reach; Q4 to Q6, a million arrivals each, stand in tests/long.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/recording.h"
#include "tests/cli/simulated.h"

namespace brokerlab {
namespace {

void expect_within(double value, double expected, double share) {
  EXPECT_NEAR(value, expected, expected * share);
}

std::vector<std::int64_t> per_consumer(const Json& run, const char* key) {
  std::vector<std::int64_t> values;
  for (const Json& consumer : run["fairness"]["consumers"]) values.push_back(consumer[key]);
  return values;
}

// Every message accounted for, and no flag but those that a simulation must carry.
void expect_sound(const Json& run, const std::vector<std::string>& besides = {}) {
  EXPECT_EQ(run["verdict"]["status"], "valid") << run["verdict"].dump();
  EXPECT_EQ(flag_of(run, "SIMULATED")["state"], "fail");
  for (const Json& flag : run["flags"]) {
    const std::string name = flag["name"];
    const bool expected =
        name == "SIMULATED" || std::find(besides.begin(), besides.end(), name) != besides.end();
    EXPECT_TRUE(expected || flag["state"] != "fail") << flag.dump();
  }
  EXPECT_EQ(run["ledger"]["lost"], 0);
  EXPECT_EQ(run["ledger"]["duplicates"], 0);
}

TEST(SimulatedKnownAnswers, Q1NobodyWaits) {
  const Json run = run_of(result_of("known-answers/q1"));
  expect_sound(run, {"TOO_FEW_SAMPLES"});
  EXPECT_LT(number(run, "/latency/end_to_end/max_ns"), 0.001 * kMs);
}

TEST(SimulatedKnownAnswers, Q2TheWaitGrowsWithTheBacklog) {
  const Json run = run_of(result_of("known-answers/q2"));
  expect_sound(run, {"UNSTABLE", "NOT_STEADY"});
  expect_within(number(run, "/latency/end_to_end/mean_ns") / kMs, 1870, 0.001);
  expect_within(number(run, "/latency/end_to_end/max_ns") / kMs, 3740, 0.002);
}

void expect_push(const Json& run) {
  expect_sound(run, {"TOO_FEW_SAMPLES", "PREFETCH_IGNORED"});
  EXPECT_THAT(per_consumer(run, "messages"), testing::ElementsAre(50, 50));
  EXPECT_THAT(per_consumer(run, "busy_ns"), testing::ElementsAre(900 * kMs, 100 * kMs));
  expect_within(number(run, "/makespan_ns"), 900 * kMs, 0.0001);
  EXPECT_NEAR(number(run, "/fairness/by_busy_time/jain"), 0.6098, 0.0001);
}

TEST(SimulatedKnownAnswers, R1R2R3R4) {
  expect_push(run_of(result_of("known-answers/r1")));
  expect_push(run_of(result_of("known-answers/r3")));
  const Json fair = run_of(result_of("known-answers/r2"));
  expect_sound(fair, {"TOO_FEW_SAMPLES"});
  EXPECT_GE(number(fair, "/fairness/by_busy_time/jain"), 0.99);
  expect_within(number(fair, "/makespan_ns"), 500 * kMs, 0.08);
  const Json late = run_of(result_of("known-answers/r4"));
  EXPECT_THAT(per_consumer(late, "messages"), testing::UnorderedElementsAre(100, 0));
}

TEST(SimulatedKnownAnswers, R7TheKneeOfPrefetch) {
  const Json experiment = Json::parse(R"({
    "name": "r7",
    "broker": {"kind": "simulated", "costs": {"deliver": "10.95ms", "ack": "10.95ms"}},
    "topology": {"queues": [{"name": "q"}]},
    "load": [{"name": "l", "arrivals": {"process": "burst", "size": 2000, "every": "1s"},
              "publish": {"routing_key": "q"}, "stop": {"count": 2000}, "confirms": {"window": 10000}}],
    "roles": [{"role": "w", "consume": {"queue": "q", "prefetch": 1},
               "effort": {"kind": "sleep", "seconds": "5.19ms"}}],
    "phases": {"measure": "1s", "drain": "100s"},
    "matrix": {"roles.0.consume.prefetch": [1, 2, 3, 5, 10]}})");
  const std::vector<double> expected = {36.9, 73.8, 110.7, 184.5, 192.7};
  const Json result = result_of_file(experiment);
  ASSERT_EQ(result["runs"].size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double per_s = 2000 * 1e9 / number(result["runs"][i], "/makespan_ns");
    expect_within(per_s, expected[i], expected[i] == 184.5 ? 0.12 : 0.05);
  }
}

TEST(SimulatedKnownAnswers, F2AndF4AreExact) {
  const Json result = result_of("known-answers/f2-f4");
  const Json stable = run_of(result, "stable");
  expect_sound(stable, {"TOO_FEW_TRIALS", "NO_AA", "CONFIRM_WINDOW_HIT", "GENERATOR_BOUND", "LATE_CATCHUP"});
  EXPECT_THAT(per_consumer(stable, "messages"), testing::ElementsAre(4898, 5068, 5074, 4960, 0));
  const auto moved = [&](const char* variant) {
    return number(run_of(result, variant), "/sharding/changes/0/moved_share");
  };
  EXPECT_NEAR(moved("first-leaves"), 0.9195, 0.00005);
  EXPECT_NEAR(moved("last-leaves"), 0.2480, 0.00005);
  EXPECT_NEAR(moved("fifth-joins"), 0.1997, 0.00005);
}

TEST(SimulatedKnownAnswers, A1AndA2ACrashGivesBackWhatWasNotAcknowledged) {
  const std::map<std::string, int> again = {
      {"prefetch-1", 1}, {"prefetch-5", 5}, {"prefetch-20", 20}, {"unlimited", 80}};
  const Json held = result_of("known-answers/a1");
  ASSERT_EQ(held["runs"].size(), again.size());
  for (const Json& run : held["runs"]) {
    EXPECT_EQ(run["ledger"]["redelivered_flag"], again.at(run["variant"])) << run["variant"];
    EXPECT_EQ(run["ledger"]["done"], 100);
    EXPECT_EQ(run["ledger"]["lost"], 0);
  }
  const Json pushed = run_of(result_of("known-answers/a2"));
  EXPECT_EQ(pushed["ledger"]["done"], 20);
  EXPECT_EQ(pushed["ledger"]["lost"], 80);
}

TEST(SimulatedKnownAnswers, A4AndA5) {
  const Json result = result_of("known-answers/a4");
  for (const Json& run : result["runs"]) {
    EXPECT_EQ(run["ledger"]["confirmed"], 10);
    EXPECT_EQ(run["ledger"]["returned"], run["variant"] == "mandatory" ? 10 : 0);
  }
  const Json copies = result_of("known-answers/a5");
  EXPECT_EQ(run_of(copies, "fanout")["ledger"]["deliveries"], 300);
  EXPECT_EQ(run_of(copies, "topic")["ledger"]["deliveries"], 100);
}

TEST(SimulatedKnownAnswers, S1AStallIsFeltByEveryMessageThatWasDue) {
  const Json run = run_of(result_of("known-answers/s1-s5-short"), "open-loop");
  const Json& faults = run.at("faults");
  ASSERT_EQ(faults.size(), 1U);
  const double stall = number(faults[0], "/ended_ns") - number(faults[0], "/at_ns");
  expect_within(number(run, "/latency/end_to_end/max_ns"), stall, 0.01);
  expect_within(number(run, "/latency/end_to_end/mean_ns"), 0.1 * stall / 2, 0.05);
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<DeliveryRecord> deliveries_of(const ExperimentOutcome& outcome) {
  std::vector<DeliveryRecord> all;
  for (const char* name : {"w-0.rec", "w-1.rec"}) {
    RecordingReader(outcome.folder / "001-default" / name).each_delivery([&](auto records) {
      all.insert(all.end(), records.begin(), records.end());
    });
  }
  return all;
}

TEST(SimulatedRun, TheSameSeedGivesTheSameRecordings) {
  const Folder folder;
  const std::string file = folder.write(small());
  const auto first = deliveries_of(simulate(file, folder.path() / "a"));
  const auto second = deliveries_of(simulate(file, folder.path() / "b"));
  ASSERT_EQ(first.size(), second.size());
  ASSERT_GT(first.size(), 300U);
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].intended_ns, second[i].intended_ns);
    EXPECT_EQ(first[i].done_ns, second[i].done_ns);
  }
}

TEST(SimulatedRun, SaysWhatItIs) {
  const Folder folder;
  const ExperimentOutcome outcome = simulate(folder.write(small()), folder.path());
  const Json run = run_of(outcome.result);
  expect_sound(run, {"TOO_FEW_SAMPLES", "NOT_STEADY"});
  EXPECT_EQ(outcome.result["environment"]["broker"]["kind"], "simulated");
  EXPECT_FALSE(outcome.result["environment"]["versions"].contains("rabbitmq"));
  EXPECT_THAT(flag_of(run, "SIMULATED")["detail"].get<std::string>(), testing::HasSubstr("uncalibrated"));
  EXPECT_EQ(flag_of(run, "EXTRAPOLATED")["state"], "unmeasured");
  EXPECT_EQ(flag_of(run, "CPU_STEAL")["state"], "unmeasured");
  EXPECT_FALSE(bytes_of(outcome.folder / "001-default" / "evidence.json").empty());
}

TEST(SimulatedRun, AKilledWorkersMessagesComeAgainAndItsRecordingStaysOpen) {
  const Json experiment = patched(R"({
    "roles": {"0": {"consume": {"prefetch": 5}}},
    "faults": [{"at": "1s", "kind": "kill", "target": "w", "restart_after": "200ms"}]})");
  const Folder folder;
  const ExperimentOutcome outcome = simulate(folder.write(experiment), folder.path());
  const Json run = run_of(outcome.result);
  EXPECT_EQ(run["ledger"]["lost"], 0);
  EXPECT_EQ(run["verdict"]["status"], "valid") << run["verdict"].dump();
  EXPECT_FALSE(RecordingReader(outcome.folder / "001-default" / "w-0.rec").complete());
  EXPECT_TRUE(RecordingReader(outcome.folder / "001-default" / "w-0-r1.rec").complete());
  EXPECT_EQ(run["faults"][0]["at_ns"], 1'000'000'000);
  EXPECT_EQ(run["faults"][0]["ended_ns"], 1'200'000'000);
}

// The file itself: what it asks has the known answers.
TEST(SimulatedRun, WorkerCrashOfTheCatalogue) {
  Overrides overrides;
  overrides.quick = true;
  const Json result = result_of("worker-crash", overrides);
  ASSERT_EQ(result.at("runs").size(), 5U);
  for (const Json& run : result.at("runs")) {
    const Json& ledger = run.at("ledger");
    const bool automatic = run.at("variant") == "auto";
    EXPECT_EQ(ledger.at("published"), 150);
    EXPECT_EQ(ledger.at("lost") > 0, automatic) << run.at("variant");
    EXPECT_EQ(ledger.at("duplicates") > 0, !automatic) << run.at("variant");
    EXPECT_EQ(ledger.at("lost"), ledger.value("lost_by_design", 0));
    EXPECT_EQ(run.at("verdict").at("status"), "valid");
  }
}

TEST(SimulatedRun, PausesHangsAndSlowness) {
  const auto p99_of = [](const char* faults) {
    const Json run = run_of(result_of_file(patched(faults)));
    EXPECT_EQ(run["ledger"]["lost"], 0);
    EXPECT_EQ(run["faults"].size(), 1U);
    return number(run, "/latency/done/max_ns") / kMs;
  };
  EXPECT_GT(
      p99_of(
          R"({"faults": [{"at": "1s", "kind": "pause", "target": "w", "mode": "all", "duration": "300ms"}]})"),
      250);
  EXPECT_GT(
      p99_of(
          R"({"faults": [{"at": "1s", "kind": "hang", "target": "w", "mode": "all", "duration": "300ms"}]})"),
      250);
  EXPECT_GT(
      p99_of(
          R"({"faults": [{"at": "1s", "kind": "slow", "target": "w", "mode": "all", "add": "300ms", "duration": "200ms"}]})"),
      300);
  EXPECT_GT(p99_of(R"({"faults": [{"at": "1s", "kind": "pause", "target": "l", "duration": "300ms"}]})"),
            250);
  EXPECT_GT(p99_of(R"({"faults": [{"at": "1s", "kind": "hang", "target": "l", "duration": "300ms"}]})"), 250);
  EXPECT_GT(p99_of(R"({"faults": [{"at": "1s", "kind": "pause", "target": "broker", "duration": "300ms"}]})"),
            250);
}

TEST(SimulatedRun, PipelinesBatchesAndClosedLoops) {
  const Json pipeline = Json::parse(R"json({
    "name": "pipeline", "topology": {"queues": [{"name": "a"}, {"name": "b"}]},
    "load": [{"name": "l", "arrivals": {"process": "closed", "outstanding": 10, "think": "1ms"},
              "publish": {"routing_key": "a", "body": {"json": {"n": "{sequence}"}}}, "stop": {"count": 500}}],
    "roles": [{"role": "first", "consume": {"queue": "a", "prefetch": 50, "ack": "multiple(7)"},
               "set": {"seen": true}, "publish": {"routing_key": "b"}},
              {"role": "second", "consume": {"queue": "b", "ack": "multiple(100)"}, "when": {"/seen": true},
               "completes": true, "record_keys": true}],
    "phases": {"measure": "5s"}})json");
  const Json run = run_of(result_of_file(pipeline));
  expect_sound(run, {"CLOSED_LOOP", "TOO_FEW_SAMPLES"});
  EXPECT_EQ(run["pipeline"]["completed"], 500);
  EXPECT_EQ(run["ledger"]["ignored"], 0);
}

TEST(SimulatedRun, StopsWhatGoesRoundAtTheDrainLimit) {
  const Json run = run_of(result_of_file(patched(R"({
    "load": {"0": {"publish": {"body": {"json": {"kind": "x"}}}, "stop": {"count": 5}}},
    "roles": {"0": {"when": {"/kind": "y"}, "otherwise": "requeue"}},
    "broker": {"costs": {"deliver": "1ms"}}, "phases": {"drain": "1s"}})")));
  EXPECT_EQ(run["verdict"]["status"], "unknown");
  EXPECT_THAT(run["verdict"].dump(), testing::HasSubstr("the drain limit of 1 s"));
}

// The examples of docs/simulation.md, and what it tells a user to type.
TEST(SimulatedRun, TheExamplesOfItsPageRun) {
  const std::string text = bytes_of(std::string(BROKERLAB_SOURCE_DIR) + "/docs/simulation.md");
  const std::string fence = "```json\n";
  std::vector<Json> results;
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    results.push_back(
        result_of_file(parse_json(text.substr(begin, text.find("\n```", begin) - begin), "page")));
    EXPECT_EQ(results.back()["verdict"]["status"], "valid");
  }
  ASSERT_EQ(results.size(), 2U);
  ASSERT_EQ(results[0]["runs"].size(), 2U);
  for (const Json& run : results[0]["runs"]) EXPECT_GE(number(run, "/latency/end_to_end/min_ns"), 19.9 * kMs);
  EXPECT_EQ(result_of("work-queue")["verdict"]["status"], "valid");
}

// A hundredth of its messages; all of its workers.
TEST(SimulatedRun, AThousandWorkers) {
  Overrides fewer;
  fewer.set = {"load.0.stop.count=200"};
  const Json run = run_of(result_of("planning/thousand-workers", fewer));
  EXPECT_EQ(run["verdict"]["status"], "valid");
  EXPECT_EQ(run["ledger"]["unique"], 10'000);
  EXPECT_EQ(run["fairness"]["consumers"].size(), 1000U);
}

std::string refusal_of(const Json& experiment) {
  const Folder folder;
  try {
    simulate(folder.write(experiment), folder.path() / "out");
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "out")) << "a refused run leaves nothing behind";
    return error.what();
  }
  ADD_FAILURE() << experiment.dump() << " was not refused";
  return "";
}

TEST(SimulatedRun, RefusesByKeyWhatItDoesNotModel) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"broker": {"nodes": 3}})", "/broker/nodes"},
      {R"({"broker": {"costs": {"publish": "soon"}}})", "/broker/costs/publish"},
      {R"({"broker": {"arguments": {"vm_memory_high_watermark.relative": 0.1}}})", "/broker/arguments"},
      {R"({"topology": {"queues": {"0": {"auto_delete": true}}}})", "/topology/queues/0/auto_delete"},
      {R"({"topology": {"queues": {"0": {"arguments": {"x-max-priority": 5}}}}})", "x-max-priority"},
      {R"({"topology": {"queues": {"0": {"durable": true, "arguments": {"x-queue-type": "quorum"}}}}})",
       "x-queue-type"},
      {R"({"load": {"0": {"publish": {"expiration": "1s"}}}})", "/load/0/publish/expiration"},
      {R"({"load": {"0": {"publish": {"headers": {"CC": ["x"]}}}}})", "/load/0/publish/headers/CC"},
      {R"({"roles": {"0": {"consume": {"get": "10ms"}}}})", "/roles/0/consume/get"},
      {R"({"roles": {"0": {"consume": {"priority": 3}}}})", "/roles/0/consume/priority"},
      {R"({"roles": {"0": {"consume": {"arguments": {"x-cancel-on-ha-failover": true}}}}})",
       "/roles/0/consume/arguments"},
      {R"({"faults": [{"at": "1s", "kind": "kill", "target": "l"}]})", "/faults/0/kind"},
      {R"({"faults": [{"at": "1s", "kind": "kill", "target": "broker", "restart_after": "1s"}]})",
       "/faults/0/kind"},
      {R"({"faults": [{"at": "1s", "kind": "pause", "target": "w", "duration": "20s"}]})",
       "/faults/0/duration"}};
  for (const auto& [patch, key] : cases) EXPECT_THAT(refusal_of(patched(patch)), testing::HasSubstr(key));
}

}  // namespace
}  // namespace brokerlab
