#pragma once

#include "broker/topology.h"
#include "core/json.h"
#include "experiments/plan.h"

namespace brokerlab {

// Parts of a topology as they stand in an assignment (ARCHITECTURE.md): lists of exchanges, queues and
// bindings, every name and property written out.

// What a child declares again after a broker came back without it: all but exclusive queues.
Json assigned_topology(const Topology& topology);
// The exclusive queues that the instances of this process consume, and their bindings: each belongs to the
// connection that declares it, so that the process must. Null when there are none.
Json own_topology(const Topology& topology, const PlannedProcess& process);

}  // namespace brokerlab
