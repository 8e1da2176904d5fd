#include <fmt/format.h>

#include <algorithm>

#include "analysis/report_model.h"
#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

constexpr std::size_t kMostColumns = 8;
constexpr std::size_t kMostOfNames = 110;  // characters of all variants' names that fit beside each other
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
  bool always = true;            // otherwise not where it is zero for all variants
  const char* beside = nullptr;  // where this one is, an absent figure is zero
};

const std::vector<Figure>& figures() {
  static const std::vector<Figure> kFigures = {
      {"messages published", "/ledger/published", nullptr, 0, count_text},
      {"refused by the broker", "/ledger/nacked", nullptr, 0, count_text, false},
      {"outcome unknown", "/ledger/unknown", nullptr, 0, count_text, false},
      {"all done after", "/makespan_ns", nullptr, 0, duration_text},
      {"least possible", "/work/0/lower_bound_ns", nullptr, 0, duration_text},
      {"workers idle", "/work/0/idle_share", nullptr, 0, share_text},
      {"fairness by messages (Jain)", "/fairness/by_messages/jain", nullptr, 0, index_text},
      {"fairness by busy time (Jain)", "/fairness/by_busy_time/jain", nullptr, 0, index_text},
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
      {"unroutable share", "/network/unroutable_share", nullptr, 0, share_text, false},
      {"deliveries per message (amplification)", "/network/amplification", nullptr, 0, ratio_text},
      {"ignored share of deliveries", "/network/ignored_share", nullptr, 0, share_text, false},
      {"distinct keys", "/sharding/keys", nullptr, 0, count_text},
      {"spread of the keys, p", "/sharding/p_value", nullptr, 0, index_text},
      {"keys on more than one queue", "/sharding/affinity_violations", nullptr, 0, count_text},
      {"deliveries that came again", "/ledger/duplicates", nullptr, 0, count_text},
      {"lost", "/ledger/lost", nullptr, 0, count_text},
      {"lost by design", "/ledger/lost_by_design", nullptr, 0, count_text, false, "/ledger/lost"},
      {"dead letters", "/ledger/dead_lettered", nullptr, 0, count_text, false},
      {"first redelivered after the first fault", "/recovery/0/first_redelivery_ns", nullptr, 0,
       duration_text},
      {"all connected again after the first fault", "/recovery/0/reconnected_ns", nullptr, 0, duration_text},
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

std::optional<Spread> spread_of(const Figure& figure, const ChartVariant& variant) {
  auto values = spread(variant, figure.pointer);
  if (!values && figure.beside != nullptr && spread(variant, figure.beside)) values = Spread{};
  return values;
}

Cell value_of(const Figure& figure, const ChartVariant& variant) {
  if (figure.pointer != nullptr) {
    const auto values = spread_of(figure, variant);
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

// How many ways messages come back, in the worst repetition.
Cell loops_of(const ChartVariant& variant) {
  std::optional<std::size_t> most;
  for (const Json* run : variant.runs) {
    const Json* loops = find_value(*run, "/pipeline/loops");
    if (loops != nullptr && loops->is_array()) most = std::max(most.value_or(0), loops->size());
  }
  if (!most) return {};
  return *most == 0 ? Cell{"none", Tone::kGood} : Cell{count_text(static_cast<double>(*most)), Tone::kBad};
}

// A ratio to what was completed says nothing where nothing was.
void mark_nothing_completed(const ChartSource& source, std::vector<Cell>& cells) {
  for (std::size_t i = 0; i < source.variants().size(); ++i) {
    const auto completed = spread(source.variants()[i], "/pipeline/completed");
    if (cells[i + 1].text.empty() && completed && completed->high == 0)
      cells[i + 1] = {"none completed", Tone::kBad};
  }
}

// Whether every variant has this figure, and it is zero.
bool is_zero_everywhere(const ChartSource& source, const Figure& figure) {
  if (figure.pointer == nullptr) return false;
  return std::all_of(source.variants().begin(), source.variants().end(), [&](const ChartVariant& variant) {
    const auto values = spread_of(figure, variant);
    return values && values->low == 0 && values->high == 0;
  });
}

bool fit_side_by_side(const ChartSource& source) {
  std::size_t names = 0;
  for (const ChartVariant& variant : source.variants()) names += variant.name.size();
  return source.variants().size() <= kMostColumns && names <= kMostOfNames;
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

Table pipeline_table(const ChartSource& source) {
  static const std::vector<Figure> kPipeline = {
      {"submitted", "/pipeline/submitted", nullptr, 0, count_text},
      {"completed", "/pipeline/completed", nullptr, 0, count_text},
      {"deliveries per completed", "/pipeline/deliveries_per_completed", nullptr, 0, ratio_text},
      {"messages on the network per completed", "/pipeline/messages_per_completed", nullptr, 0, ratio_text},
      {"deliveries per submitted", "/network/amplification", nullptr, 0, ratio_text},
      {"deliveries", "/pipeline/deliveries", nullptr, 0, count_text},
      {"ignored share of deliveries", "/pipeline/ignored_share", nullptr, 0, share_text},
      {"submitted → completed p50", nullptr, "completion", 0.5, duration_text},
      {"submitted → completed p90", nullptr, "completion", 0.9, duration_text},
      {"submitted → completed p99", nullptr, "completion", 0.99, duration_text},
      {"unroutable", "/ledger/returned", nullptr, 0, count_text, false},
      {"stopped by the hop limit", "/pipeline/hop_limited", nullptr, 0, count_text, false},
  };
  Table table{"From submitted to completed", "", {{"figure", false}}, {}};
  if (!source.any("/pipeline")) return table;
  for (const ChartVariant& variant : source.variants()) table.columns.push_back({variant.name});
  for (const Figure& figure : kPipeline) {
    std::vector<Cell> cells = {{figure.name}};
    for (const ChartVariant& variant : source.variants()) cells.push_back(value_of(figure, variant));
    const bool telling = !says_nothing(cells) && (figure.always || !is_zero_everywhere(source, figure));
    if (telling) table.rows.push_back(std::move(cells));
  }
  for (auto& row : table.rows) {
    if (row.front().text.find("completed") != std::string::npos) mark_nothing_completed(source, row);
  }
  std::vector<Cell> loops = {{"feedback loops"}};
  for (const ChartVariant& variant : source.variants()) loops.push_back(loops_of(variant));
  table.rows.push_back(std::move(loops));
  return fit_side_by_side(source) ? table : turned(table);
}

Table loops_table(const ChartSource& source) {
  Table table{
      "Feedback loops",
      "A role publishes what comes back to it, by itself or through others: each row is where such a circle "
      "can be cut. First repetition.",
      {{"variant", false},
       {"who publishes", false},
       {"exchange", false},
       {"key", false},
       {"through", false},
       {"deliveries"},
       {"deepest hop"}},
      {}};
  for (const ChartVariant& variant : source.variants()) {
    const Json* loops = find_value(*variant.runs.front(), "/pipeline/loops");
    for (const Json& loop : loops != nullptr && loops->is_array() ? *loops : Json::array()) {
      std::vector<std::string> through;
      const Json* roles = find_value(loop, "/roles");
      for (const Json& role : roles != nullptr && roles->is_array() ? *roles : Json::array())
        through.push_back(find_text(role, ""));
      const std::string exchange = find_text(loop, "/exchange"), key = find_text(loop, "/routing_key");
      table.rows.push_back({{variant.name},
                            {find_text(loop, "/role")},
                            {exchange.empty() ? "default" : exchange},
                            {key.empty() ? "none" : key},
                            {joined(through)},
                            {count_text(find_number(loop, "/deliveries"))},
                            {count_text(find_number(loop, "/hops_max"))}});
    }
  }
  return table;
}

Table comparison_table(const ChartSource& source) {
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
    const bool telling = !says_nothing(cells) && (figure.always || !is_zero_everywhere(source, figure));
    if (telling) table.rows.push_back(std::move(cells));
  }
  return fit_side_by_side(source) ? table : turned(table);
}

}  // namespace brokerlab::report
