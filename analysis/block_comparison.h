#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// {pairs[], aa}, each where there is something to say.
//
// `pairs`: each of `variants` against the first one, for every headline figure that has a better side.
// Repetitions are blocks: the runs of one block were made near each other, so a variant is compared with the
// first within its block (Wilcoxon's signed rank test on logarithms of ratios). All pairs of a result are one
// family for Holm's correction. A figure that neither variant measured is left out.
//
// `repeat`: the variant that is the first one again ("" for none). Its pairs are a family of their own, and
// `aa` says what they show: where the first differs from itself, no verdict of the result is to be trusted;
// where it does not, how small a change the experiment can see.
Json compare_blocks(const Json& runs, const std::vector<std::string>& variants, const std::string& repeat);

}  // namespace brokerlab
