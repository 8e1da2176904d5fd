#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/metrics.h"
#include "core/json.h"

namespace brokerlab {

// One headline figure over trials, as logarithms, so that differences are ratios.
struct TrialFigures {
  std::vector<double> logs;  // one per trial; empty with a reason
  std::string reason;        // why trials must not be compared by this figure; may be empty
  bool measured = false;     // in at least one trial
};

// A figure is taken of all trials or of none: leaving out those in which it is missing or zero would compare
// what is left by luck. A percentile needs 100 samples beyond it in each.
TrialFigures trial_figures(const HeadlineMetric& metric, const std::vector<const Json*>& trials);

// The runs of a variant that may be compared, by repetition: neither invalid nor cut short.
std::vector<const Json*> comparable_runs(const Json& runs, const std::string& variant);
// Names of the variants, in the order of their first run.
std::vector<std::string> variant_names(const Json& runs);

}  // namespace brokerlab
