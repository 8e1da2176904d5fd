#pragma once

#include "core/json.h"

namespace brokerlab {

// The variants of one result side by side: {metrics[], variants[{variant, runs, verdict, medians{}}],
// scaling[] (analysis/scaling.h), pairs[] and aa (analysis/block_comparison.h)}, in the order of
// variant_names(). Medians over repetitions; a figure that no run measured is absent. `plan`: of the result,
// for what each variant is.
Json compare_variants(const Json& runs, const Json& plan);

}  // namespace brokerlab
