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
  double p = 1;
  double smallest_p = 1;  // that so many trials can give
  double cliffs_delta = 0;

  double p_adjusted = 1;
  Difference verdict = Difference::kNotCompared;
  std::size_t trials_needed = 0;  // of an inconclusive one: about how many would decide
  std::string sentence;

  bool worse() const;  // different, and to the side that is not better
};

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
// "25 % higher", "2.5 times as high", "unchanged".
std::string change_text(double ratio);

}  // namespace brokerlab
