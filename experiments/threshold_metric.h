#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// What is called by name in one experiment, and so in the metrics of its results.
struct ThresholdNames {
  std::vector<std::string> roles;
  std::vector<std::string> queues;

  static ThresholdNames of(const Json& experiment);  // merged, or only partly right
};

// One figure of a run of a result that a threshold may name.
struct ThresholdMetric {
  // What its number counts, and thereby which units a limit may carry.
  enum class Unit { kNumber, kNanoseconds, kBytes, kPerSecond };

  std::string name;  // short form: no "latency.", no "_ns"
  // Within a run. The token "*" stands for every entry of a list, "role=worker" for those whose `role` is
  // "worker".
  JsonPointer pointer;
  Unit unit = Unit::kNumber;
  bool live = false;  // known while the run goes on (experiments/live_figures.h)
};

// As results name them: "count", "ns", "bytes", "per_s".
const char* to_text(ThresholdMetric::Unit unit);

// Every metric a threshold may name.
std::vector<ThresholdMetric> threshold_metrics(const ThresholdNames& names = {});

// The numbers that `pointer` of a metric stands for in a run; none where nothing was measured.
std::vector<double> numbers_at(const Json& run, const JsonPointer& pointer);

}  // namespace brokerlab
