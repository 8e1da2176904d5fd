#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

constexpr std::int64_t kMs = 1'000'000;

Json result_with(const std::string& faults) {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.write("bad-line.json", R"({
  "name": "bad-line",
  "topology": {"queues": [{"name": "jobs", "durable": true}]},
  "load": [{"name": "producer", "arrivals": {"process": "constant", "rate": 200},
            "publish": {"routing_key": "jobs", "persistent": true, "body": {"size": 100}}}],
  "roles": [{"role": "worker", "consume": {"queue": "jobs", "ack": "manual", "prefetch": 10}}],
  "faults": [)" + faults + R"(],
  "phases": {"measure": "2s", "drain": "20s"}
})");
  return run_experiment_file(file.string());
}

// The line to the worker is late, the line to the producer is not: each fault hits whom it names.
TEST(NetworkFaults, LatencyIsFoundWhereItWasPut) {
  const Json result = result_with(
      R"({"at": "0s", "kind": "latency", "target": "worker", "attributes": {"latency": "60ms"}, "duration": "2s"})");
  const Json run = run_of(result);
  EXPECT_GE(run["latency"]["end_to_end"]["p50_ns"], 60 * kMs);
  EXPECT_LT(run["latency"]["confirm"]["p50_ns"], 60 * kMs);
  EXPECT_EQ(run["ledger"]["lost"], 0);
  EXPECT_EQ(run["ledger"]["unique"], 400);
}

TEST(NetworkFaults, ALineThatIsDownDelaysAndLosesNothing) {
  const Json result = result_with(R"({"at": "500ms", "kind": "down", "target": "all", "duration": "700ms"})");
  const Json run = run_of(result);
  const Json fault = run["faults"].at(0);
  EXPECT_EQ(fault["details"]["connections_cut"], 2);
  EXPECT_GE(fault.at("ended_ns").get<std::int64_t>() - fault.at("at_ns").get<std::int64_t>(), 700 * kMs);
  EXPECT_EQ(run["ledger"]["published"], 400) << "the schedule goes on, late";
  EXPECT_EQ(run["ledger"]["lost"], 0);
  EXPECT_EQ(run["ledger"]["unexpected"], 0);
  EXPECT_GE(run["latency"]["end_to_end"]["max_ns"], 600 * kMs);
  EXPECT_EQ(result["verdict"]["status"], "valid");
}

const Json& flag_of(const Json& run, const std::string& name) {
  for (const Json& flag : run.at("flags")) {
    if (flag.at("name") == name) return flag;
  }
  throw std::runtime_error("no flag " + name);
}

// A router that flips bits: the proxy does so in what comes from the broker, and the role tells each body
// that is not what was sent. The bodies are large, so that hardly a flip hits anything else.
TEST(NetworkFaults, AnAlteredBodyIsFoundAndNamed) {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.write("bits.json", R"({
  "name": "bits",
  "topology": {"queues": [{"name": "jobs"}]},
  "load": [{"name": "producer", "arrivals": {"process": "constant", "rate": 20},
            "publish": {"routing_key": "jobs", "verify": true,
                        "body": {"size": {"distribution": "uniform", "min": "200kB", "max": "400kB"}}}}],
  "roles": [{"role": "worker", "consume": {"queue": "jobs", "prefetch": 2}}],
  "faults": [{"at": "0s", "kind": "corrupt", "target": "worker", "attributes": {"bytes": "1MB"}, "duration": "2s"}],
  "phases": {"measure": "2s", "drain": "20s"}
})");
  const Json result = run_experiment_file(file.string());
  const Json run = run_of(result);
  const Json ledger = run["ledger"];
  EXPECT_EQ(ledger["verified"], ledger["deliveries"]);
  EXPECT_GT(ledger["corrupted"], 0);
  EXPECT_LT(ledger["corrupted"], ledger["verified"]);
  EXPECT_EQ(ledger["corrupted_ids"].size(), ledger["corrupted"].get<std::size_t>());
  EXPECT_EQ(flag_of(run, "BODY_CORRUPTED").at("state"), "fail");
  EXPECT_EQ(flag_of(run, "BODY_CORRUPTED").at("value"), ledger["corrupted"]);
}

}  // namespace
}  // namespace brokerlab
