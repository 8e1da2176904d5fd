#pragma once

#include <memory>

#include "experiments/fault.h"

namespace brokerlab {

// memory-alarm and disk-alarm: a node of ours gets a limit that it has passed already, and blocks who
// publishes. nullptr for any other kind.
std::unique_ptr<FaultEffect> make_alarm_fault(const PlannedFault& fault, FaultTargets& targets);

}  // namespace brokerlab
