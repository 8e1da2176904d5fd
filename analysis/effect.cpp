#include "analysis/effect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/trial_figures.h"

namespace brokerlab {
namespace {

constexpr double kLevel = .05;
constexpr double kRounding = 1e-9;

const char* to_text(Difference verdict) {
  switch (verdict) {
    case Difference::kDifferent:
      return "different";
    case Difference::kEquivalent:
      return "equivalent";
    case Difference::kInconclusive:
      return "inconclusive";
    case Difference::kNotCompared:
      break;
  }
  return "not compared";
}

// The fewest trials with which a family of this size can show a difference at all.
std::size_t trials_for(std::size_t family, const EffectRule& rule) {
  std::size_t trials = rule.least_trials;
  while (rule.smallest_p(trials) * static_cast<double>(family) > kLevel) ++trials;
  return trials;
}

// An interval narrows with the root of the trials. It decides when it is narrow enough to leave out 1, or to
// lie within the margin, whichever is nearer.
std::size_t trials_to_decide(const Effect& effect, std::size_t attainable, const EffectRule& rule) {
  if (!effect.change->interval) return attainable;
  const auto& interval = *effect.change->interval;
  const double half = (interval.high - interval.low) / 2, distance = std::abs(effect.change->value);
  const double nearest = effect.ratio ? std::max(distance, std::log1p(rule.margin) - distance) : distance;
  if (nearest <= 0) return std::max(attainable, effect.trials + 1);
  const double wanted = std::ceil(static_cast<double>(effect.trials) * std::pow(half / nearest, 2));
  return std::max({attainable, effect.trials + 1, static_cast<std::size_t>(std::min(wanted, 1e9))});
}

bool within_margin(const Effect& effect, const EffectRule& rule) {
  // Of what may be zero, only a share has a scale by which a difference can be small.
  if (!effect.ratio && effect.metric->unit != MetricUnit::kShare) return false;
  const double margin = (effect.ratio ? std::log1p(rule.margin) : rule.margin) + kRounding;
  const auto& interval = effect.change->interval;
  return interval && interval->low >= -margin && interval->high <= margin;
}

void judge(Effect& effect, std::size_t family, const EffectRule& rule) {
  const std::size_t attainable = trials_for(family, rule);
  const bool enough = effect.trials >= rule.least_trials;
  const bool can_differ = enough && effect.smallest_p * static_cast<double>(family) <= kLevel;
  if (enough && within_margin(effect, rule)) {
    effect.verdict = Difference::kEquivalent;
  } else if (can_differ && effect.p_adjusted <= kLevel) {
    effect.verdict = Difference::kDifferent;
  } else {
    effect.verdict = Difference::kInconclusive;
    effect.trials_needed = trials_to_decide(effect, attainable, rule);
  }
}

// "25 %" and "higher".
struct ChangeWords {
  std::string amount;
  std::string side;
};

ChangeWords words_of(double ratio) {
  const double percent = 100 * (ratio - 1);
  if (std::abs(percent) < .05) return {"unchanged", ""};
  if (percent >= 100) return {fmt::format("{:.3g} times", ratio), "as high"};
  return {fmt::format("{:.{}f} %", std::abs(percent), std::abs(percent) < 10 ? 1 : 0),
          percent > 0 ? "higher" : "lower"};
}

ChangeWords words_of(const Effect& effect, double change) {
  if (effect.ratio) return words_of(std::exp(change));
  if (change == 0) return {"unchanged", ""};
  const MetricUnit unit = effect.metric->unit;
  const bool whole = change == std::floor(change);
  return {unit == MetricUnit::kCount && !whole ? fmt::format("{:.1f}", std::abs(change))
                                               : format_metric(unit, std::abs(change)),
          change > 0 ? "more" : "less"};
}

std::string joined(const ChangeWords& words) {
  return words.amount + (words.side.empty() ? "" : " ") + words.side;
}

// Nothing where both ends read the same as what stands before.
std::string range_text(const Effect& effect) {
  const auto& interval = effect.change->interval;
  if (!interval) return "";
  ChangeWords low = words_of(effect, interval->low), high = words_of(effect, interval->high);
  if (joined(low) == joined(high)) return "";
  if (interval->high < 0) std::swap(low, high);  // "between 83 % and 84 % lower"
  return fmt::format(" (between {} and {})", low.side == high.side ? low.amount : joined(low), joined(high));
}

// "none in the baseline, at most 12 in a run of the candidate (in 2 of 10 runs), which is worse."
std::string exact_text(const Effect& effect) {
  const ExactCount& exact = *effect.exact;
  const std::string &baseline = effect.baseline_called, &variant = effect.variant_called;
  if (effect.verdict == Difference::kEquivalent)
    return fmt::format("zero in every run of {} and of {}.", baseline, variant);
  const bool worse = effect.worse();
  return fmt::format("none with {}, {}{} with {} (in {} of {} run{}), which is {}.",
                     worse ? baseline : variant, exact.of > 1 ? "up to " : "",
                     format_metric(effect.metric->unit, std::max(exact.baseline_most, exact.variant_most)),
                     worse ? variant : baseline, exact.trials, exact.of, exact.of == 1 ? "" : "s",
                     worse ? "worse" : "better");
}

std::vector<double> logarithms(std::vector<double> values) {
  for (double& value : values) value = std::log(value);
  return values;
}

void compare(Effect& effect, const TrialFigures& baseline, const TrialFigures& variant, EffectTest test) {
  const std::size_t in_baseline = baseline.above_zero(), in_variant = variant.above_zero();
  const bool nowhere = in_baseline == 0 && in_variant == 0;
  if (nowhere || (effect.metric->wants_none && (in_baseline == 0 || in_variant == 0))) {
    effect.exact = {baseline.most(), variant.most(), std::max(in_baseline, in_variant),
                    in_variant > 0 ? variant.values.size() : baseline.values.size()};
    effect.verdict = nowhere ? Difference::kEquivalent : Difference::kDifferent;
    return;
  }
  effect.ratio = in_baseline == baseline.values.size() && in_variant == variant.values.size();
  if (effect.ratio)
    test(effect, logarithms(baseline.values), logarithms(variant.values));
  else
    test(effect, baseline.values, variant.values);
}

std::string sentence_of(const Effect& effect, std::size_t family, const EffectRule& rule) {
  const std::string& variant = effect.variant_called;
  const std::string& baseline = effect.baseline_called;
  if (effect.verdict == Difference::kNotCompared)
    return fmt::format("{} is not compared: {}.", effect.metric->title, effect.reason);
  std::string sentence = fmt::format("{}: ", effect.metric->title);
  if (effect.exact) return sentence + exact_text(effect);
  if (effect.verdict == Difference::kDifferent)
    return sentence + fmt::format("{} against {}: {}{}, which is {}.", variant, baseline,
                                  joined(words_of(effect, effect.change->value)), range_text(effect),
                                  effect.worse() ? "worse" : "better");
  if (effect.verdict == Difference::kEquivalent)
    return sentence + fmt::format("{} and {} are the same within {:.3g} %{}.", variant, baseline,
                                  100 * rule.margin, range_text(effect));
  const bool few = effect.trials < trials_for(family, rule);
  sentence +=
      few ? fmt::format("{} {}{} too few to tell {} from {}", effect.trials, rule.trial,
                        effect.trials == 1 ? " is" : "s are", variant, baseline)
          : fmt::format("{} {}s do not tell {} from {}", effect.trials, rule.trial, variant, baseline);
  return sentence +
         fmt::format("{}; {} {} are needed{}.", range_text(effect), few ? "at least" : "about",
                     effect.trials_needed,
                     few && family > 1 ? fmt::format(" where {} figures are compared", family) : "");
}

}  // namespace

bool Effect::worse() const {
  if (verdict != Difference::kDifferent) return false;
  const bool more = exact ? exact->variant_most > exact->baseline_most : change->value > 0;
  return more == (metric->better == BetterSide::kLower);
}

std::optional<Effect> effect_of(const HeadlineMetric& metric, const EffectSide& baseline,
                                const EffectSide& variant, const std::string& missing, EffectTest test) {
  const TrialFigures first = trial_figures(metric, baseline.trials);
  const TrialFigures second = trial_figures(metric, variant.trials);
  if (!first.measured && !second.measured) return std::nullopt;
  Effect effect;
  effect.metric = &metric;
  effect.baseline = baseline.variant;
  effect.variant = variant.variant;
  effect.baseline_called = baseline.called;
  effect.variant_called = variant.called;
  effect.trials = missing.empty() ? std::min(baseline.trials.size(), variant.trials.size()) : 0;
  if (!missing.empty())
    effect.reason = missing;
  else if (!first.reason.empty())
    effect.reason = baseline.called + ": " + first.reason;
  else if (!second.reason.empty())
    effect.reason = variant.called + ": " + second.reason;
  else
    compare(effect, first, second, test);
  return effect;
}

void judge_family(std::vector<Effect>& effects, const EffectRule& rule) {
  std::vector<double> p;
  for (const Effect& effect : effects)
    if (effect.change) p.push_back(effect.p);
  const std::vector<double> adjusted = holm_adjusted(p);
  std::size_t next = 0;
  for (Effect& effect : effects) {
    if (effect.change) {
      effect.p_adjusted = adjusted[next++];
      judge(effect, p.size(), rule);
    }
    effect.sentence = sentence_of(effect, p.size(), rule);
  }
}

Json to_json(const Effect& effect) {
  Json json = {{"baseline", effect.baseline},   {"variant", effect.variant},
               {"metric", effect.metric->name}, {"better", to_text(effect.metric->better)},
               {"trials", effect.trials},       {"verdict", to_text(effect.verdict)},
               {"sentence", effect.sentence}};
  if (effect.verdict == Difference::kDifferent) json["worse"] = effect.worse();
  if (effect.untrusted) json["untrusted"] = true;
  if (effect.exact)
    json["exact"] = {{"baseline_most", effect.exact->baseline_most},
                     {"variant_most", effect.exact->variant_most}};
  else if (!effect.change)
    json["reason"] = effect.reason;
  if (!effect.change) return json;
  const auto shown = [&](double change) { return effect.ratio ? std::exp(change) : change; };
  json[effect.ratio ? "ratio" : "difference"] = shown(effect.change->value);
  if (const auto& interval = effect.change->interval)
    json["interval"] = {{"low", shown(interval->low)}, {"high", shown(interval->high)}};
  json["p"] = effect.p;
  json["p_adjusted"] = effect.p_adjusted;
  json["cliffs_delta"] = effect.cliffs_delta;
  if (effect.verdict == Difference::kInconclusive) json["trials_needed"] = effect.trials_needed;
  return json;
}

void distrust(std::vector<Effect>& effects) {
  for (Effect& effect : effects) {
    if (effect.verdict == Difference::kNotCompared) continue;
    effect.untrusted = true;
    effect.sentence += " Not to be trusted: a variant differs from itself (A/A).";
  }
}

}  // namespace brokerlab
