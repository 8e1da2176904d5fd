#include "experiments/fault.h"

#include "core/error.h"
#include "experiments/alarm_fault.h"
#include "experiments/broker_fault.h"
#include "experiments/connection_fault.h"
#include "experiments/network_fault.h"
#include "experiments/partition_fault.h"
#include "experiments/process_fault.h"
#include "experiments/queue_fault.h"

namespace brokerlab {

std::unique_ptr<FaultEffect> make_fault(const PlannedFault& fault, FaultTargets& targets) {
  for (const auto make : {make_network_fault, make_process_fault, make_broker_fault, make_alarm_fault,
                          make_connection_fault, make_queue_fault, make_partition_fault}) {
    if (auto effect = make(fault, targets)) return effect;
  }
  throw Error("nothing here can do \"" + fault.kind + "\" to " + fault.target, "/faults",
              "see docs/faults.md for what goes with what");
}

}  // namespace brokerlab
