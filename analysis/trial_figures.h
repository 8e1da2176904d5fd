#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/metrics.h"
#include "core/json.h"

namespace brokerlab {

// One headline figure over trials.
struct TrialFigures {
  std::vector<double> values;  // one per trial; empty with a reason
  std::string reason;          // why trials must not be compared by this figure; may be empty
  bool measured = false;       // in at least one trial

  double most() const;             // 0 without values
  std::size_t above_zero() const;  // trials
};

// A figure is taken of all trials or of none: leaving out those in which it is missing would compare what is
// left by luck. A percentile needs 100 samples beyond it in each.
TrialFigures trial_figures(const HeadlineMetric& metric, const std::vector<const Json*>& trials);

// The runs of a variant that may be compared, by repetition: neither invalid nor cut short.
std::vector<const Json*> comparable_runs(const Json& runs, const std::string& variant);
// Names of the variants that were run: in the order of the experiment file, which a plan keeps, so that the
// first one does not depend on the order that was drawn; those that the plan does not know by their first
// run.
std::vector<std::string> variant_names(const Json& runs, const Json& plan);
// A/A: the variant after the first one that has the same settings, so that it compares the first with itself;
// "" where there is none.
std::string repeat_of_first(const std::vector<std::string>& names, const Json& plan);

}  // namespace brokerlab
