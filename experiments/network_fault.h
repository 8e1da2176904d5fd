#pragma once

#include <memory>

#include "experiments/fault.h"

namespace brokerlab {

// Faults of the network between processes and the broker, by a proxy with toxiproxy's kinds: latency,
// bandwidth, slow_close, timeout, reset_peer, slicer, limit_data, down. nullptr for any other kind.
std::unique_ptr<FaultEffect> make_network_fault(const PlannedFault& fault, FaultTargets& targets);

}  // namespace brokerlab
