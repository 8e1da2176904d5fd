#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/json.h"
#include "experiments/experiment.h"
#include "experiments/plan.h"
#include "experiments/rate_search.h"
#include "experiments/search_spec.h"
#include "experiments/trial_judgement.h"

namespace brokerlab {

// The trials of a search, each of which depends on what came of those before: a plan that is made while it is
// carried out. The variants take turns, a trial each, so that what changes on the machine meanwhile meets all
// of them. Plain state, controller only; the experiment outlives it.
class SearchPlan {
 public:
  explicit SearchPlan(const Experiment& experiment);

  // The trial to run now, the same until it was judged; null when every search is over. Valid until the next
  // call.
  const PlannedRun* next();
  // The entry in the result of that trial. One that was ended early says nothing.
  void judge(const Json& run);

  // Every trial so far.
  const Plan& plan() const { return plan_; }
  int most_trials() const;
  // "sustainable-rate · quorum, 4000/s, trial 2 of 3 (run 7 of at most 66)", of next().
  std::string title() const;
  // What came of the trial that was judged last: "quorum, 4000/s: sustained".
  const std::string& last_outcome() const { return last_outcome_; }
  // `search` of the result (docs/result.md).
  Json to_json() const;

 private:
  struct OfVariant {
    OfVariant(const Variant& of, std::size_t number);
    Json to_json() const;

    const Variant& variant;
    std::string label;  // "" where there is but one
    SearchSpec spec;
    TrialJudgement judgement;
    RateSearch search;
    Json trials = Json::array();
  };
  void plan_next();

  const Experiment& experiment_;
  std::vector<OfVariant> variants_;
  std::size_t turn_ = 0;
  bool planned_ = false;  // the last run of the plan has not been judged
  Plan plan_;
  std::string last_outcome_;
};

// `run --dry-run`: what a search will do, and how long that takes at most.
std::string search_text(const Experiment& experiment);

}  // namespace brokerlab
