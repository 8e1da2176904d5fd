#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/json.h"

namespace brokerlab {

enum class MetricUnit { kNanoseconds, kBytes, kPerSecond, kCount, kShare };
enum class BetterSide { kLower, kHigher, kNeither };

// A single figure of a run that stands for it in comparisons and tables.
struct HeadlineMetric {
  std::string_view name;     // as in thresholds: "end_to_end.p99"
  std::string_view title;    // for a narrow table: "end-to-end p99"
  std::string_view pointer;  // JSON pointer within an entry of `runs`
  MetricUnit unit;
  BetterSide better;
  bool always = true;       // otherwise a comparison leaves it out where it is zero for all
  bool wants_none = false;  // the first one at all is a difference, which needs no statistics
};

// The figures a comparison shows, in order.
std::span<const HeadlineMetric> headline_metrics();
std::string_view to_text(MetricUnit unit);
std::string_view to_text(BetterSide side);

// The figure in one entry of `runs`; nothing where it was not measured.
std::optional<double> metric_value(const HeadlineMetric& metric, const Json& run);
// "12.3 ms", "1,234", "0.984".
std::string format_metric(MetricUnit unit, double value);

}  // namespace brokerlab
