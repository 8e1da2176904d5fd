#include "experiments/fault_kind.h"

#include <algorithm>

namespace brokerlab {

const std::vector<FaultKind>& fault_kinds() {
  using K = FaultKind;
  static const std::vector<FaultKind> kinds{
      {"kill", K::kLoad | K::kRole | K::kBroker, K::End::kRestart, K::Broker::kOurs},
      {"stop", K::kLoad | K::kRole | K::kBroker, K::End::kRestart, K::Broker::kOurs},
      {"pause", K::kLoad | K::kRole | K::kBroker, K::End::kDuration, K::Broker::kOurs},
      {"hang", K::kLoad | K::kRole, K::End::kDuration, K::Broker::kAny},
      {"slow", K::kRole, K::End::kDuration, K::Broker::kAny},
      {"memory-alarm", K::kBroker, K::End::kDuration, K::Broker::kOurs},
      {"disk-alarm", K::kBroker, K::End::kDuration, K::Broker::kOurs},
      {"partition", K::kBroker, K::End::kDuration, K::Broker::kOurs, 3},
      {"close-connection", K::kLoad | K::kRole, K::End::kAtOnce, K::Broker::kAllowed},
      {"delete-queue", K::kQueue, K::End::kAtOnce, K::Broker::kAllowed},
      // Between the processes and the broker, by a proxy: broker/toxic.h.
      {"latency", K::kLoad | K::kRole | K::kAll, K::End::kDuration, K::Broker::kAny},
      {"bandwidth", K::kLoad | K::kRole | K::kAll, K::End::kDuration, K::Broker::kAny},
      {"slow_close", K::kLoad | K::kRole | K::kAll, K::End::kDuration, K::Broker::kAny},
      {"timeout", K::kLoad | K::kRole | K::kAll, K::End::kDuration, K::Broker::kAny},
      {"reset_peer", K::kLoad | K::kRole | K::kAll, K::End::kDuration, K::Broker::kAny},
      {"slicer", K::kLoad | K::kRole | K::kAll, K::End::kDuration, K::Broker::kAny},
      {"limit_data", K::kLoad | K::kRole | K::kAll, K::End::kDuration, K::Broker::kAny},
      {"down", K::kLoad | K::kRole | K::kAll, K::End::kDuration, K::Broker::kAny},
  };
  return kinds;
}

const FaultKind* fault_kind(const std::string& name) {
  const auto& kinds = fault_kinds();
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const FaultKind& kind) { return kind.name == name; });
  return found == kinds.end() ? nullptr : &*found;
}

FaultKind::Broker FaultKind::broker_for(const std::string& target) const {
  const bool on_processes = (targets & (kLoad | kRole)) != 0;
  return broker == Broker::kOurs && on_processes && target != "broker" ? Broker::kAny : broker;
}

}  // namespace brokerlab
