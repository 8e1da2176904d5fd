#include "experiments/fault_kind.h"

#include <algorithm>

#include "core/error.h"
#include "core/units.h"
#include "experiments/plan.h"

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
      {"corrupt", K::kLoad | K::kRole | K::kAll, K::End::kDuration, K::Broker::kAny},
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

void refuse_faults_on_foreign_broker(const PlannedRun& run, bool allowed) {
  for (const PlannedFault& fault : run.faults) {
    const FaultKind::Broker wanted = fault_kind(fault.kind)->broker_for(fault.target);
    const std::string what = "the experiment declares " + fault.kind + " of " + fault.target + " after " +
                             format_duration(fault.at_ns);
    if (wanted == FaultKind::Broker::kOurs) {
      throw Error(what + ", and the broker named by --broker is not ours to break", "/faults",
                  "leave out --broker: a private broker is started then", ExitStatus::kUsage);
    }
    if (wanted == FaultKind::Broker::kAllowed && !allowed) {
      throw Error(what + ", on a broker that is not ours", "/faults",
                  "--allow-faults permits it; or leave out --broker: a private broker is started then",
                  ExitStatus::kUsage);
    }
  }
}

}  // namespace brokerlab
