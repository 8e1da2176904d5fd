#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// A limit on a figure of a run: "end_to_end.p99 < 50ms", "ledger.lost == 0", "fairness.by_busy_time.jain >
// 0.95". Grammar: metric operator number [unit]; operators < <= > >= == !=. A metric is a path within a run
// of a result; "latency." before it and the unit after it may be left out: "end_to_end.p99" is
// latency.end_to_end.p99_ns.
struct ThresholdExpression {
  enum class Operator { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual, kNotEqual };

  std::string text;
  JsonPointer metric;  // within a run of a result
  Operator op = Operator::kLess;
  double limit = 0;  // in the metric's own unit
};

// What became of a threshold in one run.
struct ThresholdOutcome {
  std::optional<double> value;  // nothing: unmeasured, which is never ok
  bool ok = false;
};

// `roles` are the names of the experiment's roles: by_role.<role>.<stream>.<statistic> is a metric too.
// Throws Error (kUsage) with the nearest known metric.
ThresholdExpression parse_threshold(std::string_view text, const std::vector<std::string>& roles = {});

ThresholdOutcome evaluate(const ThresholdExpression& threshold, const Json& run);

// Every metric a threshold may name, in its short form.
std::vector<std::string> threshold_metrics(const std::vector<std::string>& roles = {});

}  // namespace brokerlab
