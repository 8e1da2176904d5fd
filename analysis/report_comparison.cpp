#include <fmt/format.h>

#include <algorithm>

#include "analysis/report_model.h"
#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

constexpr const char* kTooFew = "too few samples";

using Format = std::string (*)(std::optional<double>);

// A row of the comparison: a figure of each run (its median and its range over the repetitions), or a
// quantile of all repetitions' samples together. Percentiles are never averaged.
struct Figure {
  const char* name;
  const char* pointer;  // in a run
  const char* stream;   // or: a latency stream …
  double quantile;      // … and which quantile of it
  Format format;
};

const std::vector<Figure>& figures() {
  static const std::vector<Figure> kFigures = {
      {"messages published", "/ledger/published", nullptr, 0, count_text},
      {"all done after", "/makespan_ns", nullptr, 0, duration_text},
      {"offered rate", "/rates/offered_per_s", nullptr, 0, rate_text},
      {"published rate", "/rates/published_per_s", nullptr, 0, rate_text},
      {"delivered rate", "/rates/delivered_per_s", nullptr, 0, rate_text},
      {"age at arrival p50", nullptr, "end_to_end", 0.5, duration_text},
      {"age at arrival p99", nullptr, "end_to_end", 0.99, duration_text},
      {"age at arrival p99.9", nullptr, "end_to_end", 0.999, duration_text},
      {"age when done p50", nullptr, "done", 0.5, duration_text},
      {"age when done p99", nullptr, "done", 0.99, duration_text},
      {"confirmed after p50", nullptr, "confirm", 0.5, duration_text},
      {"confirmed after p99", nullptr, "confirm", 0.99, duration_text},
      {"fairness by messages (Jain)", "/fairness/by_messages/jain", nullptr, 0, index_text},
      {"fairness by busy time (Jain)", "/fairness/by_busy_time/jain", nullptr, 0, index_text},
      {"unroutable share", "/network/unroutable_share", nullptr, 0, share_text},
      {"deliveries per message (amplification)", "/network/amplification", nullptr, 0, ratio_text},
      {"ignored share of deliveries", "/network/ignored_share", nullptr, 0, share_text},
      {"deliveries that came again", "/ledger/duplicates", nullptr, 0, count_text},
      {"lost", "/ledger/lost", nullptr, 0, count_text},
      {"lost by design", "/ledger/lost_by_design", nullptr, 0, count_text},
      {"messages on the network per task", "/network/per_task/messages", nullptr, 0, ratio_text},
      {"bytes on the network per task", "/network/per_task/bytes", nullptr, 0, bytes_text},
  };
  return kFigures;
}

// "535 ms", and "534 ms – 537 ms" where repetitions differ visibly.
Cell with_range(const Spread& values, Format format) {
  const std::string low = format(values.low);
  const std::string high = format(values.high);
  return {format(values.median), Tone::kPlain, low == high ? "" : low + " – " + high};
}

Cell value_of(const Figure& figure, const ChartVariant& variant) {
  if (figure.pointer != nullptr) {
    const auto values = spread(variant, figure.pointer);
    return values ? with_range(*values, figure.format) : Cell{};
  }
  const auto histogram = merged_histogram(variant, figure.stream);
  if (!histogram) return {};
  if (static_cast<double>(histogram->count()) * (1 - figure.quantile) < 10 - 1e-9)
    return {kTooFew, Tone::kMuted};
  return {figure.format(static_cast<double>(histogram->quantile(figure.quantile)))};
}

bool says_nothing(const std::vector<Cell>& cells) {
  return std::all_of(cells.begin() + 1, cells.end(),
                     [](const Cell& cell) { return cell.text.empty() || cell.text == kTooFew; });
}

// Few variants stand side by side as columns; many below each other as rows.
Table turned(const Table& table) {
  Table other{table.title, table.note, {{"variant", false}}, {}};
  for (const auto& row : table.rows) other.columns.push_back({row.front().text});
  for (std::size_t column = 1; column < table.columns.size(); ++column) {
    std::vector<Cell> cells = {{table.columns[column].name}};
    for (const auto& row : table.rows) cells.push_back(row[column]);
    other.rows.push_back(std::move(cells));
  }
  return other;
}

}  // namespace

Table comparison_table(const ChartSource& source) {
  constexpr std::size_t kMostColumns = 4;
  Table table{"Key figures", "", {{"figure", false}}, {}};
  std::size_t repetitions = 1;
  for (const ChartVariant& variant : source.variants()) {
    table.columns.push_back({variant.name});
    repetitions = std::max(repetitions, variant.runs.size());
  }
  if (repetitions > 1) {
    table.note = fmt::format(
        "Medians of {} repetitions, with their range; percentiles of all repetitions' samples together.",
        repetitions);
  }
  for (const Figure& figure : figures()) {
    std::vector<Cell> cells = {{figure.name}};
    for (const ChartVariant& variant : source.variants()) {
      cells.push_back(value_of(figure, variant));
    }
    if (!says_nothing(cells)) table.rows.push_back(std::move(cells));
  }
  return source.variants().size() <= kMostColumns ? table : turned(table);
}

}  // namespace brokerlab::report
