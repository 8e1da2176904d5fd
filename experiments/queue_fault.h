#pragma once

#include <memory>

#include "experiments/fault.h"

namespace brokerlab {

// delete-queue: with all that is in it, by AMQP. Roles that consume from it end, as they must. nullptr for
// any other kind.
std::unique_ptr<FaultEffect> make_queue_fault(const PlannedFault& fault, FaultTargets& targets);

}  // namespace brokerlab
