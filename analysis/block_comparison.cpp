#include "analysis/block_comparison.h"

#include <string>
#include <vector>

#include "analysis/effect.h"
#include "analysis/trial_figures.h"

namespace brokerlab {
namespace {

// The runs of two variants, block by block; a block in which one of them is missing is left out.
struct Blocks {
  std::vector<const Json*> baseline;
  std::vector<const Json*> variant;
};

Blocks blocks_of(const std::vector<const Json*>& baseline, const std::vector<const Json*>& variant) {
  Blocks blocks;
  for (const Json* first : baseline) {
    for (const Json* second : variant) {
      if (first->value("repetition", 0) != second->value("repetition", 0)) continue;
      blocks.baseline.push_back(first);
      blocks.variant.push_back(second);
      break;
    }
  }
  return blocks;
}

void measure(Effect& effect, const TrialFigures& baseline, const TrialFigures& variant) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < baseline.logs.size(); ++i)
    differences.push_back(variant.logs[i] - baseline.logs[i]);
  effect.p = signed_rank_p(differences);
  effect.smallest_p = smallest_signed_rank_p(effect.trials);
  effect.cliffs_delta = cliffs_delta(baseline.logs, variant.logs);
  effect.change = hodges_lehmann(std::move(differences));
}

void add_pair(const Json& runs, const std::string& baseline, const std::string& variant,
              std::vector<Effect>& effects) {
  const auto baseline_runs = comparable_runs(runs, baseline), variant_runs = comparable_runs(runs, variant);
  const Blocks blocks = blocks_of(baseline_runs, variant_runs);
  const bool none = blocks.baseline.empty();
  for (const HeadlineMetric& metric : headline_metrics()) {
    if (metric.better == BetterSide::kNeither) continue;
    const TrialFigures first = trial_figures(metric, none ? baseline_runs : blocks.baseline);
    const TrialFigures second = trial_figures(metric, none ? variant_runs : blocks.variant);
    if (!first.measured && !second.measured) continue;
    Effect effect;
    effect.metric = &metric;
    effect.baseline = effect.baseline_called = baseline;
    effect.variant = effect.variant_called = variant;
    effect.trials = blocks.baseline.size();
    if (none)
      effect.reason = "no block has a usable run of both";
    else if (!first.reason.empty())
      effect.reason = baseline + ": " + first.reason;
    else if (!second.reason.empty())
      effect.reason = variant + ": " + second.reason;
    else
      measure(effect, first, second);
    effects.push_back(std::move(effect));
  }
}

}  // namespace

Json compare_blocks(const Json& runs) {
  std::vector<Effect> effects;
  const std::vector<std::string> names = variant_names(runs);
  for (std::size_t i = 1; i < names.size(); ++i) add_pair(runs, names.front(), names[i], effects);
  judge_family(effects, {});
  Json pairs = Json::array();
  for (const Effect& effect : effects) pairs.push_back(to_json(effect));
  return pairs;
}

}  // namespace brokerlab
