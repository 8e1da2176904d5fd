#pragma once

#include "core/json.h"

namespace brokerlab {

// Speed-up and efficiency against the number of instances of a role, from variants that differ in nothing
// else: [{role, variants: [{variant, instances, makespan_ns, speed_up, efficiency}]}], fewest instances
// first; those are the measure of the others. `variants`: name -> settings, as in the plan of a result.
// `compared`: the variants of a comparison, with their medians.
Json scaling_of(const Json& variants, const Json& compared);

}  // namespace brokerlab
