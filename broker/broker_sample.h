#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// What one source told of a broker at one instant. What it did not tell is absent, never 0.
struct BrokerSample {
  struct Queue {
    std::size_t index = 0;  // among the queues of the run
    std::int64_t ready = 0, unacked = 0;
  };

  std::int64_t round = 0;       // samples of one round were asked for together
  std::string source;           // "process", "node", "management", "prometheus", "simulation"
  std::string node;             // empty: the broker as a whole
  Nanoseconds at_ns = 0;        // CLOCK_MONOTONIC: it was taken then,
  Nanoseconds within_ns = 0;    // or by so much later,
  Nanoseconds lag_ns = 0;       // and what it says of queues and nodes may be older by so much.
  Nanoseconds flow_lag_ns = 0;  // Likewise what it says of connections and channels.
  std::string failed;           // why there are no figures: a gap

  std::optional<std::int64_t> pid;
  std::optional<Nanoseconds> cpu_ns;  // of the broker's process since it began
  std::optional<std::int64_t> cores;  // that it may use at most
  std::optional<std::int64_t> resident_bytes;
  std::optional<std::int64_t> memory_bytes, memory_limit_bytes;  // by the broker's own count
  std::optional<bool> memory_alarm, disk_alarm;
  std::optional<std::int64_t> connections, connections_in_flow, connections_blocked;
  std::optional<std::int64_t> channels, channels_in_flow;
  std::vector<Queue> queues;                   // those it knows of; or, where they are too many,
  std::optional<std::int64_t> ready, unacked;  // all of them together

  // As the evidence of a run has it (docs/result.md).
  Json to_json() const;
  static BrokerSample from_json(const Json& json);
};

}  // namespace brokerlab
