#pragma once

#include <span>
#include <string>

#include "core/histogram.h"
#include "core/json.h"

namespace brokerlab {

// Results of one experiment as one result, without loss: every run of each, and in `merged_from` what each
// was (run id, seed, environment, how many runs). Repetitions are numbered on from one result to the next, so
// that runs of one block stay one block. The results are taken in the order in which they were started,
// whatever the order of the arguments, and a merged result counts as those it was made of: merging in any
// order or grouping gives the same. Throws Error, with the difference named, when they are of different
// experiments, and when one of them is there twice.
Json merge_results(std::span<const Json> results);

// All samples of one latency stream ("end_to_end") of these runs; empty where none of them has it.
Histogram merged_stream(std::span<const Json> runs, const std::string& stream);

}  // namespace brokerlab
