#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

enum class MetricUnit { kNanoseconds, kBytes, kPerSecond, kCount, kShare };
enum class BetterSide { kLower, kHigher, kNeither };

// A single figure of a run that can be named in thresholds, comparisons and tables, e.g. "end_to_end.p99".
struct Metric {
  std::string name;
  std::string pointer;  // JSON pointer within an entry of `runs`
  MetricUnit unit;
  BetterSide better;
};

// Resolves a name:
//   <stream>.<p50|p90|p99|p99_9|mean|min|max|count>                 latency over all roles
//   by_role.<role>.<stream>.<statistic>                               latency of one role
//   rates.<offered|published|confirmed|delivered>_per_s               (the suffix may be left out)
//   fairness.[by_role.<role>.]<by_messages|by_bytes|by_busy_time>.<jain|gini|cv|max_min_ratio>
//   ledger.<figure>, network.<figure>, network.per_task.<figure>, makespan
std::optional<Metric> find_metric(const std::string& name);
// The names without a role, for help texts and for the nearest known name.
std::vector<std::string> metric_names();
// The figure in one entry of `runs`; nothing where it was not measured.
std::optional<double> metric_value(const Metric& metric, const Json& run);
// The figures a comparison shows first, in order.
std::span<const std::string_view> headline_metrics();
// "12.3 ms", "1,234", "0.98".
std::string format_metric(const Metric& metric, double value);

}  // namespace brokerlab
