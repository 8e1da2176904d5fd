#pragma once

#include <string>
#include <vector>

#include "analysis/effect.h"
#include "core/json.h"

namespace brokerlab {

struct ComparisonRequest {
  double margin = .05;  // what differs by less is the same
  std::vector<std::string>
      metrics;  // names as in thresholds ("end_to_end.p99"); none: all with a better side
};

// Two results beside each other. They were made at different times, so their runs are no blocks: the trials
// of a variant in the one stand against its trials in the other (Mann and Whitney; Hodges and Lehmann).
struct ResultComparison {
  std::vector<Effect> effects;        // of the variants that both have, or of the only one of each
  std::vector<std::string> warnings;  // what else differs: what was measured, host, versions
  bool regression() const;            // something is different for the worse
};

// Throws Error (kUsage) when they have no variant in common, or a metric is unknown.
ResultComparison compare_results(const Json& baseline, const Json& candidate,
                                 const ComparisonRequest& request);

// {margin, regression, warnings[], pairs[]}; the pairs as in `comparison.pairs[]` of a result.
Json to_json(const ResultComparison& comparison, double margin);

}  // namespace brokerlab
