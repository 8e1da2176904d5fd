#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics.h"
#include "analysis/statistics.h"
#include "core/json.h"

namespace brokerlab {

enum class Difference { kDifferent, kEquivalent, kInconclusive, kNotCompared };

// What needs no statistics: a figure that is zero in all trials of both; or one that ought to be zero, as
// lost messages, and is so in all trials of one side and not of the other.
struct ExactCount {
  double baseline_most = 0;  // in one trial
  double variant_most = 0;
  std::size_t trials = 0;  // of the side that has some: those that do, of how many
  std::size_t of = 0;
};

// How a figure of one group of trials stands to that of another: what was measured, and, once judge_family()
// has seen all of its family, what may be said about it.
struct Effect {
  const HeadlineMetric* metric = nullptr;
  std::string baseline;  // variants
  std::string variant;
  std::string baseline_called;  // as the sentence names them
  std::string variant_called;
  std::size_t trials = 0;          // blocks, or those of the smaller group
  std::string reason;              // why it is not compared; otherwise empty
  std::optional<Estimate> change;  // logarithm of variant / baseline
  bool ratio = true;  // otherwise, where a trial is zero, `change` is variant - baseline in the figure's unit
  double p = 1;
  double smallest_p = 1;  // that so many trials can give
  double cliffs_delta = 0;
  std::optional<ExactCount> exact;  // then there is no change, and none of the figures below it

  double p_adjusted = 1;
  Difference verdict = Difference::kNotCompared;
  std::size_t trials_needed = 0;  // of an inconclusive one: about how many would decide
  std::string sentence;
  bool untrusted = false;  // the baseline, run twice, differs from itself

  bool worse() const;  // different, and to the side that is not better
};

// One side of a comparison: the trials of a variant, and what a sentence calls it.
struct EffectSide {
  std::string variant;
  std::string called;
  std::vector<const Json*> trials;
};

// Fills in p, smallest_p, cliffs_delta and change from the values of both sides, or their logarithms.
using EffectTest = void (*)(Effect& effect, const std::vector<double>& baseline,
                            const std::vector<double>& variant);

// A figure of two sides, measured and not yet judged; nothing where neither measured it. `missing`: why there
// is nothing to compare, "" where there is.
std::optional<Effect> effect_of(const HeadlineMetric& metric, const EffectSide& baseline,
                                const EffectSide& variant, const std::string& missing, EffectTest test);

// What is asked of trials before anything is said about them.
struct EffectRule {
  double margin = .05;  // equivalent: the whole interval within this factor of the baseline, up or down
  std::size_t least_trials = 6;
  double (*smallest_p)(std::size_t trials) = smallest_signed_rank_p;
  const char* trial = "block";  // what a trial is called
};

// Judges effects that are reported together (Holm's correction over those that have a p), in place.
void judge_family(std::vector<Effect>& effects, const EffectRule& rule);

// Of one entry of `comparison.pairs[]`, and of what `compare` prints: ratios, not logarithms.
Json to_json(const Effect& effect);
// Marks the effects, and says so in their sentences.
void distrust(std::vector<Effect>& effects);

}  // namespace brokerlab
