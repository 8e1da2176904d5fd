#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/evidence.h"
#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// What the broker told of itself during one run (docs/result.md, `broker` of the evidence), put together: the
// depths of the queues round by round, and per node CPU, memory, alarms and flow. What did not answer is a
// gap. Pure; times are instants of the clock.
class BrokerAccount {
 public:
  struct Depth {
    Nanoseconds at_ns = 0, until_ns = 0;         // told at some time between these two
    Nanoseconds lag_ns = 0;                      // and that old at most
    std::optional<std::int64_t> ready, unacked;  // in all queues; nothing where somebody did not answer
    std::vector<std::pair<std::size_t, std::pair<std::int64_t, std::int64_t>>> queues;
  };
  struct CpuSpan {
    Nanoseconds from_ns, to_ns, cpu_ns;
    double cores() const { return static_cast<double>(cpu_ns) / static_cast<double>(to_ns - from_ns); }
  };
  struct Value {
    Nanoseconds at_ns;
    double value;
  };
  struct Node {
    std::string name;
    std::optional<std::int64_t> cores, memory_limit_bytes;
    std::vector<CpuSpan> cpu;
    std::map<std::string, std::vector<Value>> values;  // by figure: "resident_bytes", "memory_alarm", …
    // Mean over a time, of the spans that lie in it.
    std::optional<double> cpu_cores(Nanoseconds from_ns, Nanoseconds to_ns) const;
  };

  explicit BrokerAccount(const RunEvidence& evidence);

  bool any() const { return !nodes_.empty() || !depths_.empty(); }
  const std::vector<Depth>& depths() const { return depths_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  // How many of the run's queues the depths are about; all of them?
  std::size_t queue_count() const { return queue_count_; }
  bool on_this_host() const { return on_this_host_; }
  // Of the samples between two instants that tell of it, the share in which a node had any of these.
  std::optional<double> share(std::initializer_list<const char*> figures, Nanoseconds from_ns,
                              Nanoseconds to_ns) const;

  Json to_json() const;
  // On the run's time axis: intervals that hold at least one sample each, `span` long together.
  Json series_json(Nanoseconds interval, Nanoseconds span) const;

 private:
  void read(const Json& sample);
  void read_node(const Json& sample);
  void read_cpu(const Json& sample, Node& node);
  void read_queues(const Json& sample);
  void finish_depths();
  Node& node_named(const std::string& name);
  Json nodes_json() const;
  Json queues_json() const;

  struct Round {
    Nanoseconds at_ns = 0, until_ns = 0, lag_ns = 0;
    std::map<std::size_t, std::pair<std::int64_t, std::int64_t>> queues;
    std::int64_t ready = 0, unacked = 0;
    std::size_t sums = 0;
    bool failed = false;
  };
  struct Usage {
    std::int64_t pid;
    Nanoseconds at_ns, cpu_ns;
  };

  const Nanoseconds t0_, load_end_;
  Nanoseconds interval_ns_ = 0, flow_lag_ns_ = 0;
  std::size_t queue_count_ = 0, samples_ = 0, gaps_ = 0;
  bool on_this_host_ = false;
  std::vector<std::string> queue_names_, sources_;
  std::map<std::int64_t, Round> rounds_;
  std::map<std::string, Usage> usage_;
  std::vector<Depth> depths_;
  std::vector<Node> nodes_;
  Json absent_ = Json::array();
};

}  // namespace brokerlab
