#pragma once

#include <memory>

#include "experiments/fault.h"

namespace brokerlab {

// Faults of load and role processes: kill, stop, pause, hang, slow. nullptr for any other kind or target.
std::unique_ptr<FaultEffect> make_process_fault(const PlannedFault& fault, FaultTargets& targets);

}  // namespace brokerlab
