#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"

namespace brokerlab {

// What a broker told of itself last, for whoever watches a run that goes on. What it did not tell is absent,
// and so is everything about a node that does not answer any more: nothing old is shown as if it were now.
struct BrokerFigures {
  struct Node {
    std::string name;
    Nanoseconds at_ns = 0;            // CLOCK_MONOTONIC, of the figures below; 0: never answered
    std::optional<double> cpu_cores;  // of its process, since the sample before
    std::optional<std::int64_t> resident_bytes;
    std::optional<std::int64_t> memory_bytes;  // by the broker's own count
    std::optional<bool> memory_alarm, disk_alarm;
    // In flow: held back by credit flow. Blocked: by an alarm.
    std::optional<std::int64_t> connections, connections_in_flow, connections_blocked;
    std::optional<std::int64_t> channels, channels_in_flow;
  };
  struct Queue {
    std::string name;
    std::int64_t ready = 0, unacked = 0;
  };

  std::vector<Node> nodes;
  Nanoseconds queues_at_ns = 0;                // when the queues were asked; 0: never
  Nanoseconds queues_lag_ns = 0;               // by how much their figures may be older than that
  std::optional<std::int64_t> ready, unacked;  // of all queues of the run
  std::vector<Queue> queues;                   // empty where only the sums are known
};

}  // namespace brokerlab
