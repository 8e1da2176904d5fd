#include "analysis/summary.h"
#include "core/error.h"
#include "core/recording.h"
#include "tests/fuzz/targets.h"

namespace brokerlab::fuzz {
namespace {

// The runner's word on a run whose only load and only role left the same recording.
const Json& evidence() {
  static const Json kEvidence = Json::parse(R"({
    "variant": "v", "repetition": 0, "run": 1, "seed": 3, "t0_ns": 1000000000,
    "phases": {"start_ns": 1000000000, "measure_start_ns": 1000000000, "measure_end_ns": 2000000000,
               "load_end_ns": 2000000000, "drain_end_ns": 2100000000},
    "loads": [{"name": "emitter", "publish": {"exchange": "", "routing_key": "tasks", "mandatory": true}}],
    "roles": [{"role": "worker", "consume": {"queue": "tasks", "ack": "manual"}, "effort": {"kind": "none"}}],
    "routes": [{"exchange": "", "routing_key": "tasks", "queues": ["tasks"], "delivery": "all"}],
    "queues": [{"name": "tasks", "consumed": true, "ready_at_end": 0, "unacked_at_end": 0}],
    "processes": [
      {"name": "emitter-0", "kind": "load", "entry": "emitter", "recording": "run.rec", "ended_by": "normal"},
      {"name": "worker-0", "kind": "role", "entry": "worker", "recording": "run.rec", "ended_by": "fault"}],
    "drained": true, "drain_reason": "", "aborted": false, "host": {}, "notices": [],
    "faults": [{"kind": "kill", "target": "worker", "mode": "one", "processes": ["worker-0"],
                "scheduled_at_ns": 500000000, "started_ns": 1500000000, "ended_ns": 1500000000}]})");
  return kEvidence;
}

void read_records(const std::filesystem::path& path) {
  const RecordingReader reader(path);
  std::uint64_t seen = 0;
  reader.each_publish([&](auto records) { seen += records.size(); });
  require(seen == reader.publishes(), "all publishes are visited");
  seen = 0;
  reader.each_delivery_and_detail([&](const auto&, const auto*) { ++seen; });
  require(seen == reader.deliveries(), "all deliveries are visited");
  seen = 0;
  reader.each_event([&](auto records) { seen += records.size(); });
  require(seen == reader.events(), "all events are visited");
  require(!reader.complete() || reader.damage().empty(), "what is damaged is not complete");
}

}  // namespace

void recording(Input input) {
  const std::filesystem::path path = scratch_file("run.rec", input);
  try {
    read_records(path);
  } catch (const Error&) {
    // Not a recording: the summary must say so, and go on.
  }
  const Json summary = summarise(evidence(), path.parent_path());
  require(summary.contains("verdict"), "a summary has a verdict");
  static_cast<void>(summary.dump());
}

}  // namespace brokerlab::fuzz
