#pragma once

#include <string>

#include "experiments/plan.h"

namespace brokerlab {

// The same run under prefixed names, for a broker on which we get no vhost of our own: every exchange and
// queue that is ours to create is called "<prefix><name>" in what processes publish to and consume from, and
// so in their recordings. `topology` keeps its names: its owner, the lease, prefixes them itself. Pure; an
// empty prefix changes nothing.
PlannedRun with_prefix(PlannedRun run, const std::string& prefix);

}  // namespace brokerlab
