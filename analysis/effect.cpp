#include "analysis/effect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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
  const double nearest = std::max(distance, std::log1p(rule.margin) - distance);
  const double wanted = std::ceil(static_cast<double>(effect.trials) * std::pow(half / nearest, 2));
  return std::max({attainable, effect.trials + 1, static_cast<std::size_t>(std::min(wanted, 1e9))});
}

bool within_margin(const Effect& effect, const EffectRule& rule) {
  const double margin = std::log1p(rule.margin) + kRounding;
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

std::string range_text(const Effect& effect) {
  const auto& interval = effect.change->interval;
  if (!interval) return "";
  return fmt::format(" (between {} and {})", change_text(std::exp(interval->low)),
                     change_text(std::exp(interval->high)));
}

std::string sentence_of(const Effect& effect, std::size_t family, const EffectRule& rule) {
  const std::string& variant = effect.variant_called;
  const std::string& baseline = effect.baseline_called;
  if (effect.verdict == Difference::kNotCompared)
    return fmt::format("{} is not compared: {}.", effect.metric->title, effect.reason);
  std::string sentence = fmt::format("{}: ", effect.metric->title);
  if (effect.verdict == Difference::kDifferent)
    return sentence + fmt::format("{} against {}: {}{}, which is {}.", variant, baseline,
                                  change_text(std::exp(effect.change->value)), range_text(effect),
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
  return (change->value > 0) == (metric->better == BetterSide::kLower);
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
  if (!effect.change) {
    json["reason"] = effect.reason;
    return json;
  }
  json["ratio"] = std::exp(effect.change->value);
  if (const auto& interval = effect.change->interval)
    json["interval"] = {{"low", std::exp(interval->low)}, {"high", std::exp(interval->high)}};
  json["p"] = effect.p;
  json["p_adjusted"] = effect.p_adjusted;
  json["cliffs_delta"] = effect.cliffs_delta;
  if (effect.verdict == Difference::kDifferent) json["worse"] = effect.worse();
  if (effect.verdict == Difference::kInconclusive) json["trials_needed"] = effect.trials_needed;
  return json;
}

std::string change_text(double ratio) {
  const double percent = 100 * (ratio - 1);
  if (std::abs(percent) < .05) return "unchanged";
  if (percent >= 100) return fmt::format("{:.3g} times as high", ratio);
  return fmt::format("{:.{}f} % {}", std::abs(percent), std::abs(percent) < 10 ? 1 : 0,
                     percent > 0 ? "higher" : "lower");
}

}  // namespace brokerlab
