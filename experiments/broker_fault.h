#pragma once

#include <memory>

#include "experiments/fault.h"

namespace brokerlab {

// Faults of the nodes of a private broker, by signal: kill, stop, pause. nullptr for any other kind or
// target.
std::unique_ptr<FaultEffect> make_broker_fault(const PlannedFault& fault, FaultTargets& targets);

// The nodes that a fault of the broker hits, from 0: `instance`, or all with mode "all". Throws Error when
// the broker is not ours or has no such node.
std::vector<std::size_t> nodes_hit(const PlannedFault& fault, FaultTargets& targets);

}  // namespace brokerlab
