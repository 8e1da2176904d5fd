#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brokerlab {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// The two text formats that scrapers of metrics read. They differ in how counters are named, in the unit line
// and in the last line.
enum class MetricFormat { kPrometheus /* 0.0.4 */, kOpenMetrics /* 1.0 */ };

// Writes metrics as text, one family after the other: a reader refuses samples of one family among those of
// another, and a family of which there is no sample is left out. Plain state.
class MetricText {
 public:
  enum class Type { kCounter, kGauge, kHistogram, kSummary };

  // `common`: labels of every sample.
  explicit MetricText(MetricFormat format, MetricLabels common = {});

  // Begins a family. `name` is without "_total"; `unit` is the last part of it, or "".
  void family(std::string_view name, Type type, std::string_view unit, std::string_view help);
  // `suffix`: "", or of histograms and summaries "_bucket", "_sum", "_count". Counters get their "_total"
  // here.
  void sample(std::string_view suffix, const MetricLabels& labels, double value);

  std::string finish() &&;

  // Whether `name` can be a label: letters, digits and underscores, no digit first, no two underscores first.
  static bool label_allowed(std::string_view name);

 private:
  void add(const MetricLabels& labels, const char* before);

  MetricFormat format_;
  MetricLabels common_;
  std::string name_, head_, text_;
  Type type_ = Type::kGauge;
};

}  // namespace brokerlab
