#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/recording.h"

namespace brokerlab {

// A run in a folder of its own: recordings made through RecordingWriter, and the evidence that goes with
// them. By default one load "emitter" and one role "worker" with `workers` consumers on the queue "tasks", t0
// at 1 s.
class RecordedFixture : public testing::Test {
 protected:
  static constexpr Nanoseconds kStart = 1'000'000'000;
  static constexpr Nanoseconds kMs = 1'000'000;

  RecordedFixture() {
    folder = std::filesystem::temp_directory_path() /
             ("brokerlab-" + std::to_string(getpid()) + "-" +
              testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder);
    evidence = Json::parse(R"({
      "variant": "v", "repetition": 1, "run": 1, "seed": 3,
      "phases": {},
      "loads": [{"name": "emitter", "arrivals": {"process": "constant", "rate": 100},
                 "publish": {"exchange": "", "routing_key": "tasks", "mandatory": true, "persistent": false}}],
      "roles": [{"role": "worker", "consume": {"queue": "tasks", "ack": "manual", "prefetch": 1}, "effort": {"kind": "none"}}],
      "routes": [{"exchange": "", "routing_key": "tasks", "queues": ["tasks"], "delivery": "all"}],
      "queues": [{"name": "tasks", "consumed": true, "ready_at_end": 0, "unacked_at_end": 0, "consumers": 2}],
      "drained": true, "drain_reason": "", "aborted": false, "faults": [],
      "host": {"steal_share": 0.0, "cpu_pressure": null, "boot_id": "b", "time_namespace": "t", "clock": "CLOCK_MONOTONIC", "cores": 2},
      "notices": [], "processes": []})");
    evidence["t0_ns"] = kStart;
    evidence["phases"] = {
        {"start_ns", kStart}, {"measure_start_ns", kStart}, {"load_end_ns", kStart + 1000 * kMs}};
  }
  ~RecordedFixture() override {
    writers.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  // A load process with one publisher of that number.
  RecordingWriter& load(const std::string& name = "emitter-0", std::uint32_t publisher = 0) {
    return process(name, "load", "emitter",
                   {{"publishers", {{{"index", 0}, {"name", name}, {"publisher", publisher}, {"queue", ""}}}},
                    {"routes", {{{"exchange", ""}, {"routing_key", "tasks"}}}},
                    {"consumers", Json::array()},
                    {"queues", Json::array()}});
  }

  RecordingWriter& role(const std::string& name, std::uint32_t instance, const std::string& entry = "worker",
                        const std::string& queue = "tasks") {
    return process(name, "role", entry,
                   {{"publishers", Json::array()},
                    {"routes", Json::array()},
                    {"consumers", {{{"index", instance}, {"name", name}, {"queue", queue}}}},
                    {"queues", {queue}}});
  }

  RecordingWriter& process(const std::string& name, const std::string& kind, const std::string& entry,
                           Json header) {
    header["process"] = name;
    header["kind"] = kind;
    header["run"] = 1;
    writers.push_back(std::make_unique<RecordingWriter>(folder / (name + ".rec"), header));
    evidence["processes"].push_back({{"name", name},
                                     {"kind", kind},
                                     {"entry", entry},
                                     {"recording", name + ".rec"},
                                     {"exit_status", 0},
                                     {"signal", nullptr},
                                     {"ended_by", "normal"}});
    return *writers.back();
  }

  static void publish(RecordingWriter& writer, std::uint32_t sequence, Nanoseconds intended,
                      std::uint8_t outcome = kConfirmed, Nanoseconds delay = 1000, std::uint8_t route = 0) {
    PublishRecord& record = writer.append_publish();
    record = {};
    record.intended_ns = kStart + intended;
    record.sent_ns = record.intended_ns + delay;
    record.settled_ns = outcome ? record.sent_ns + kMs : 0;
    record.sequence = sequence;
    record.route = route;
    record.outcome = outcome;
  }

  // Received 2 ms after it was due unless told otherwise.
  static DeliveryRecord& deliver(RecordingWriter& writer, std::uint32_t sequence, Nanoseconds intended,
                                 Nanoseconds received, Nanoseconds work = 0,
                                 Settlement settlement = Settlement::kAcked, std::uint8_t flags = 0) {
    DeliveryRecord& record = writer.append_delivery();
    record = {};
    record.intended_ns = kStart + intended;
    record.sent_ns = record.intended_ns + 1000;
    record.received_ns = kStart + received;
    record.started_ns = record.received_ns + 1000;
    record.done_ns = record.started_ns + work + 1000;
    record.settled_ns = record.done_ns + 1000;
    record.sequence = sequence;
    record.body_bytes = 10;
    record.settlement = static_cast<std::uint8_t>(settlement);
    record.flags = flags;
    return record;
  }

  // Marks every recording complete but those named.
  void close(const std::vector<std::string>& but = {}) {
    for (std::size_t i = 0; i < writers.size(); ++i) {
      const std::string name = evidence["processes"][i]["name"];
      if (std::find(but.begin(), but.end(), name) == but.end()) writers[i]->close();
    }
    writers.clear();
  }

  static const Json& flag(const Json& run, const std::string& name) {
    for (const Json& flag : run.at("flags"))
      if (flag.at("name") == name) return flag;
    throw std::out_of_range(name);
  }
  static std::string state(const Json& run, const std::string& name) { return flag(run, name).at("state"); }

  std::filesystem::path folder;
  Json evidence;
  std::vector<std::unique_ptr<RecordingWriter>> writers;
};

}  // namespace brokerlab
