#pragma once

#include "core/json.h"

namespace brokerlab {

// `comparison.pairs[]` of a result: each variant against the first one, for every headline figure that has a
// better side. Repetitions are blocks: the runs of one block were made near each other, so a variant is
// compared with the first within its block (Wilcoxon's signed rank test on logarithms of ratios). All pairs
// of a result are one family for Holm's correction. A figure that neither variant measured is left out.
Json compare_blocks(const Json& runs);

}  // namespace brokerlab
