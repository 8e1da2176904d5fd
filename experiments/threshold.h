#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "experiments/threshold_metric.h"

namespace brokerlab {

// A limit on a figure of a run: "end_to_end.p99 < 50ms", "ledger.lost == 0", "fairness.by_busy_time.jain >
// 0.95". Grammar: metric operator number [unit]; operators < <= > >= == !=. A metric is a path within a run
// of a result; "latency." before it and the unit after it may be left out: "end_to_end.p99" is
// latency.end_to_end.p99_ns. One that has several values, as there may be several faults, holds if it does
// for each of them.
struct ThresholdExpression {
  enum class Operator { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual, kNotEqual };

  std::string text;
  JsonPointer metric;  // within a run of a result
  Operator op = Operator::kLess;
  double limit = 0;  // in the metric's own unit
  ThresholdMetric::Unit unit = ThresholdMetric::Unit::kNumber;
  bool live = false;       // the metric is known while the run goes on
  bool of_search = false;  // the metric is what a search comes to, and of no single run
};

// What became of a threshold in one run.
struct ThresholdOutcome {
  std::optional<double> value;  // of several the one that fails, or comes nearest; nothing: unmeasured,
                                // which is never ok
  bool ok = false;
};

// An entry of `thresholds`: the expression alone, or an object {expression, abort, after}.
struct Threshold {
  std::string expression;
  bool abort = false;        // ends the run, and the experiment, as soon as it does not hold
  Nanoseconds after_ns = 0;  // from the start of the load: before, nothing ends by it

  static Threshold from_json(const Json& entry);  // checked, with its defaults
};

// Throws Error (kUsage) with the nearest known metric.
ThresholdExpression parse_threshold(std::string_view text, const ThresholdNames& names = {});
// "rates.published_per_s, …": what a threshold that aborts may be about.
std::string live_metric_names();

ThresholdOutcome evaluate(const ThresholdExpression& threshold, const Json& run);

}  // namespace brokerlab
