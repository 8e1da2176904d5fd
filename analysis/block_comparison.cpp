#include "analysis/block_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

void test_pairs(Effect& effect, const std::vector<double>& baseline, const std::vector<double>& variant) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < baseline.size(); ++i) differences.push_back(variant[i] - baseline[i]);
  effect.p = signed_rank_p(differences);
  effect.smallest_p = smallest_signed_rank_p(effect.trials);
  effect.cliffs_delta = cliffs_delta(baseline, variant);
  effect.change = hodges_lehmann(std::move(differences));
}

void add_pair(const Json& runs, const std::string& baseline, const std::string& variant,
              std::vector<Effect>& effects) {
  EffectSide first{baseline, baseline, comparable_runs(runs, baseline)};
  EffectSide second{variant, variant, comparable_runs(runs, variant)};
  Blocks blocks = blocks_of(first.trials, second.trials);
  const bool none = blocks.baseline.empty();
  if (!none) {
    first.trials = std::move(blocks.baseline);
    second.trials = std::move(blocks.variant);
  }
  const std::string missing = none ? "no block has a usable run of both" : "";
  for (const HeadlineMetric& metric : headline_metrics()) {
    if (metric.better == BetterSide::kNeither) continue;
    if (auto effect = effect_of(metric, first, second, missing, test_pairs))
      effects.push_back(std::move(*effect));
  }
}

// By how much a figure must change before it is told from what the first variant does by itself: as far as
// the interval of its comparison with itself reaches.
Json detectable(const std::vector<Effect>& effects) {
  Json shares = Json::object();
  for (const Effect& effect : effects) {
    if (!effect.change || !effect.ratio || !effect.change->interval) continue;
    const auto& interval = *effect.change->interval;
    shares[std::string(effect.metric->name)] =
        std::expm1(std::max(std::abs(interval.low), std::abs(interval.high)));
  }
  return shares;
}

std::string aa_sentence(const std::vector<Effect>& effects, const Json& differs, const Json& seen,
                        std::size_t least) {
  const std::string& name = effects.front().baseline;
  const std::size_t blocks = effects.front().trials;
  if (!differs.empty()) {
    std::string figures;
    for (const Json& figure : differs) figures += (figures.empty() ? "" : ", ") + figure.get<std::string>();
    return fmt::format("{} differs from itself in {}: no verdict of this result is to be trusted.", name,
                       figures);
  }
  if (blocks < least)
    return fmt::format("{} block{} too few to tell whether {} differs from itself; at least {} are needed.",
                       blocks, blocks == 1 ? " is" : "s are", name, least);
  const auto compared = std::count_if(effects.begin(), effects.end(), [](const Effect& effect) {
    return effect.verdict != Difference::kNotCompared;
  });
  double most = 0;
  for (const Json& share : seen) most = std::max(most, share.get<double>());
  return fmt::format(
      "{} does not differ from itself in {} figure{} over {} blocks{}.", name, compared,
      compared == 1 ? "" : "s", blocks,
      seen.empty() ? "" : fmt::format("; a change of {:.2g} % can be seen in each", 100 * most));
}

Json aa_json(const std::vector<Effect>& effects, const EffectRule& rule) {
  Json differs = Json::array();
  for (const Effect& effect : effects)
    if (effect.verdict == Difference::kDifferent) differs.push_back(effect.metric->name);
  Json seen = detectable(effects);
  std::string sentence = aa_sentence(effects, differs, seen, rule.least_trials);
  return {{"baseline", effects.front().baseline}, {"variant", effects.front().variant},
          {"trials", effects.front().trials},     {"differs", std::move(differs)},
          {"detectable", std::move(seen)},        {"sentence", std::move(sentence)}};
}

}  // namespace

Json compare_blocks(const Json& runs, const std::vector<std::string>& variants, const std::string& repeat) {
  const EffectRule rule;
  std::vector<Effect> effects, aa;
  for (std::size_t i = 1; i < variants.size(); ++i)
    add_pair(runs, variants.front(), variants[i], variants[i] == repeat ? aa : effects);
  judge_family(effects, rule);
  judge_family(aa, rule);
  Json json = Json::object();
  if (!aa.empty()) {
    json["aa"] = aa_json(aa, rule);
    if (!json["aa"]["differs"].empty()) distrust(effects);
  }
  for (const auto* family : {&effects, &aa})
    for (const Effect& effect : *family) json["pairs"].push_back(to_json(effect));
  return json;
}

}  // namespace brokerlab
