#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// One condition such as "end_to_end.p99 < 50ms", "ledger.lost == 0", "fairness.by_busy_time.jain > 0.95".
// Metrics are those of analysis/metrics.h.
struct Threshold {
  std::string expression;
  std::string metric;
  std::string comparison;  // < <= > >= == !=
  double limit = 0;        // in the metric's unit: ns, bytes, 1/s, share

  // Throws Error (kUsage) for an unknown metric (naming the nearest known one), comparison or unit.
  static Threshold parse(const std::string& expression);
  bool holds(double value) const;
};

// One entry per expression and run: {expression, variant, repetition, value, ok}. A figure that was not
// measured has a null value and is not ok: what was not measured never passes.
Json evaluate_thresholds(const std::vector<std::string>& expressions, const Json& runs);
bool all_thresholds_met(const Json& evaluated);

}  // namespace brokerlab
