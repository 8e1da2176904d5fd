#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "experiments/rate_search.h"
#include "experiments/search_spec.h"
#include "experiments/threshold.h"

namespace brokerlab {

// What one trial of a search came to, and why it was not sustained.
struct TrialVerdict {
  TrialOutcome outcome = TrialOutcome::kSustained;
  // For people: which conditions were missed, by what; and of an undecided trial, who else may have been the
  // limit.
  std::vector<std::string> reasons;
};

// Judges trials of a search by their entries in a result. A trial is sustained when every condition holds,
// the queues were drained after it and its messages left in time: then what the generator or the host went
// through has done no harm. If not, the flags of the run say whether the broker may be blamed.
class TrialJudgement {
 public:
  // `experiment`: a variant with its defaults.
  TrialJudgement(const Json& experiment, const SearchSpec& spec);

  TrialVerdict judge(const Json& run) const;

 private:
  bool check_conditions(const Json& run, TrialVerdict& verdict) const;
  void check_sending(const Json& run, TrialVerdict& verdict) const;
  void excuse(const Json& run, bool only_slow, TrialVerdict& verdict) const;

  std::vector<ThresholdExpression> conditions_;
  double latest_ns_;  // by which the load may be behind
  bool limit_of_machine_;
};

}  // namespace brokerlab
