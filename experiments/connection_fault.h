#pragma once

#include <memory>

#include "experiments/fault.h"

namespace brokerlab {

// close-connection: the broker closes the connections of some processes with 320 CONNECTION_FORCED. A node of
// ours is asked directly; on another broker the management API does it, whose list of connections lags by
// seconds. nullptr for any other kind.
std::unique_ptr<FaultEffect> make_connection_fault(const PlannedFault& fault, FaultTargets& targets);

}  // namespace brokerlab
