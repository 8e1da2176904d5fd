#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// A limit on a number of a run: "end_to_end.p99 < 50ms", "ledger.lost == 0", "fairness.by_busy_time.jain >
// 0.95". Grammar: metric operator number [unit]; operators < <= > >= == !=. Metrics are paths within a run of
// a result: rates.<name>, latency.<name>.<statistic> (the "latency." and the unit at the end of a name may be
// left out: "end_to_end.p99" is "latency.end_to_end.p99_ns"), fairness.<by>.<index>, ledger.<count>,
// makespan, network.<name>.
struct Threshold {
  enum class Operator { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual, kNotEqual };

  std::string expression;
  JsonPointer metric;  // within a run of a result
  Operator op = Operator::kLess;
  double limit = 0;  // in the metric's own unit
};

// What became of a threshold in one run.
struct ThresholdOutcome {
  std::optional<double> value;  // nothing: unmeasured, which is never ok
  bool ok = false;
};

// `stages` are further latency names that the experiment brings (its roles). Throws Error (kUsage) with the
// nearest known metric.
Threshold parse_threshold(std::string_view expression, const std::vector<std::string>& stages = {});

ThresholdOutcome evaluate(const Threshold& threshold, const Json& run);

// Every metric a threshold may name, in its short form.
std::vector<std::string> threshold_metrics(const std::vector<std::string>& stages = {});

}  // namespace brokerlab
