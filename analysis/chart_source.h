#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/histogram.h"
#include "core/json.h"

namespace brokerlab {

// A figure over the repetitions of one variant.
struct Spread {
  double low;
  double median;
  double high;
  std::size_t repetitions;
};

// One variant of one result: the runs (repetitions) that a chart shows as one.
struct ChartVariant {
  std::string name;        // fit for display: no control characters, valid UTF-8
  std::string experiment;  // likewise
  int colour = 0;          // place in the palette, the same in every chart
  std::vector<const Json*> runs;
};

// What charts and reports read: the runs of one or many results by variant. Keeps pointers into the results,
// which must outlive it. Everything in a result may be absent or null; that is "not measured" and never 0.
class ChartSource {
 public:
  explicit ChartSource(std::span<const Json> results);

  const std::vector<ChartVariant>& variants() const { return variants_; }
  // The same, restricted to one variant, which keeps its colour.
  ChartSource only(std::size_t variant) const;
  // All of them, also where only one variant is shown.
  const std::vector<const Json*>& results() const { return results_; }
  // Whether any run has a value at `pointer` (e.g. "/series/backlog").
  bool any(std::string_view pointer) const;
  // "quickstart · 3 repetitions merged": what stands under the title of a plot.
  std::string caption() const;

 private:
  ChartSource() = default;

  std::vector<ChartVariant> variants_;
  std::vector<const Json*> results_;
};

// The value at a JSON pointer; null where it is absent or null.
const Json* find_value(const Json& value, std::string_view pointer);
std::optional<double> find_number(const Json& value, std::string_view pointer);
// Made fit for display, numbers and objects as JSON; "" where absent.
std::string find_text(const Json& value, std::string_view pointer, std::size_t most_characters = 200);

// All repetitions' samples of one latency stream ("end_to_end"); nothing when no run has its histogram.
std::optional<Histogram> merged_histogram(const ChartVariant& variant, std::string_view stream);
// The same of whatever encoded histogram `hdr_of` finds in a run; null: none.
std::optional<Histogram> merged_histogram(const ChartVariant& variant,
                                          const std::function<const Json*(const Json& run)>& hdr_of);
// The figure of every run that has it.
std::optional<Spread> spread(const ChartVariant& variant, std::string_view pointer);
// Sum over the repetitions; nothing unless every run has it.
std::optional<double> total(const ChartVariant& variant, std::string_view pointer);

// One consumer over all repetitions of a variant: means per repetition.
struct ChartConsumer {
  std::string label;  // "worker 0"
  std::optional<double> messages, bytes, busy_ns, idle_ns;
};
std::vector<ChartConsumer> consumers_of(const ChartVariant& variant);

// Text that is safe to show: invalid UTF-8 and control characters become U+FFFD, long texts are cut with "…".
std::string display_text(std::string_view text, std::size_t most_characters = 200);

}  // namespace brokerlab
