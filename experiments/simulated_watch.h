#pragma once

#include <string>
#include <vector>

#include "broker/simulated_broker.h"
#include "core/clock.h"
#include "core/json.h"
#include "experiments/plan.h"

namespace brokerlab {

// What a BrokerWatch is for a real broker: the depths of a simulated one's queues, exactly, in the middle of
// each interval from the start of the load. It has no processor, no memory and no flow to tell of.
class SimulatedWatch {
 public:
  SimulatedWatch(const PlannedRun& plan, const Topology& topology, const SimulatedBroker& broker,
                 Nanoseconds t0_ns);

  // Nothing happens until then: looks as often as it is time for.
  void look_until(Nanoseconds at_ns);
  Json evidence() const;

 private:
  const SimulatedBroker& broker_;
  Nanoseconds interval_ns_ = 0;
  Nanoseconds next_ns_ = 0;
  std::vector<std::string> queues_;
  std::string reason_;  // why it looks at nothing
  Json samples_ = Json::array();
};

}  // namespace brokerlab
