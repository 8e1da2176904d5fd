#pragma once

#include <uv.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker_figures.h"
#include "broker/lease.h"
#include "core/clock.h"
#include "core/json.h"
#include "experiments/broker_source.h"
#include "experiments/plan.h"
#include "experiments/queue_probe.h"

namespace brokerlab {

// Samples what the broker tells of itself while a run goes on: depths of queues, memory, alarms, flow, CPU.
// Every sample is kept as evidence with the instant at which it was taken and the age its figures may have; a
// broker that does not answer leaves a gap. Controller, on its loop; nothing blocks but last_look(). Samples
// cost the broker some CPU (docs/metrics.md says how much), so that they get rarer the more queues,
// connections and channels there are.
class BrokerWatch {
 public:
  // `source`: null, with the reason, where the broker is not to be watched.
  BrokerWatch(std::unique_ptr<BrokerSource> source, std::string reason, Nanoseconds interval_ns,
              std::vector<std::string> queues, const Clock& clock);
  // What `broker.watch` of the experiment asks for, on this broker. `plan` has been through with_prefix().
  static std::unique_ptr<BrokerWatch> make(const PlannedRun& plan, Lease& lease, uv_loop_t* loop,
                                           const Clock& clock);

  // As often as `broker.watch` asks for, but in very long runs.
  static Nanoseconds interval_of(const PlannedRun& plan);

  // Asks when it is time, and takes what has come.
  void tick(Nanoseconds now);
  // The first round is in, or is waited for no longer: whoever measures may begin.
  bool ready(Nanoseconds now) const;
  // The run begins then: from now on samples are taken in the middle of each interval from there.
  void align(Nanoseconds t0_ns) { next_ns_ = t0_ns + interval_ns_ / 2; }
  // The latest figures, for observers.
  const BrokerFigures& figures() const { return figures_; }

  // What nobody has acknowledged, now, into the depths that it is known of. Blocks, two seconds at most.
  void look_for_unacked(std::vector<QueueProbe::Depth>& depths);
  // {"interval_ns" (the longest there was), "queues", "queue_count", "samples", "absent": [{"figures",
  // "reason"}]}
  Json evidence() const;

 private:
  void note(const BrokerSample& sample);
  void note_node(const BrokerSample& sample);
  void note_queues(const BrokerSample& sample);
  BrokerFigures::Node& node_named(const std::string& name);

  const std::unique_ptr<BrokerSource> source_;
  const std::string reason_;
  const Nanoseconds interval_ns_;
  const std::vector<std::string> queues_;
  Nanoseconds began_ns_ = 0;
  Nanoseconds next_ns_ = 0;
  std::int64_t round_ = 0;
  Nanoseconds longest_interval_ns_ = 0;
  Nanoseconds least_interval_ns_ = 0;  // by the number of things that the broker is asked about
  Json samples_ = Json::array();

  struct Usage {
    std::int64_t pid;
    Nanoseconds cpu_ns, at_ns;
  };
  std::map<std::string, Usage> usage_;  // by node, of the sample before
  struct Depths {
    std::int64_t round = -1;
    std::map<std::size_t, BrokerFigures::Queue> queues;  // by index
    std::optional<BrokerFigures::Queue> sums;            // of all, where they are not told one by one
  };
  Depths depths_;  // of the latest round
  BrokerFigures figures_;
};

}  // namespace brokerlab
