#include <fmt/format.h>

#include "analysis/report_model.h"
#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

Cell predicted(const Json& prediction, const std::string& pointer, const std::string& error) {
  const auto value = find_number(prediction, pointer);
  if (!value) return {"none", Tone::kMuted};
  Cell cell{duration_text(value)};
  if (const auto off = find_number(prediction, error)) cell.hint = fmt::format("{:+.1f} %", 100 * *off);
  return cell;
}

// "" where nothing was assumed in vain; otherwise what does not hold here.
std::string failed_assumptions(const Json& prediction) {
  const Json* failed = find_value(prediction, "/assumptions_failed");
  std::string text;
  if (failed == nullptr || !failed->is_array()) return text;
  for (const Json& each : *failed) {
    if (each.is_string()) text += (text.empty() ? "" : "; ") + display_text(each.get<std::string>());
  }
  return text;
}

void add_rows(Table& table, const std::string& role, const Json& prediction) {
  const std::string law = find_text(prediction, "/model/name");
  constexpr struct {
    const char* shown;
    const char* key;
    const char* error;
  } kFigures[] = {{"mean wait", "mean_ns", "mean"},
                  {"p50", "p50_ns", "p50"},
                  {"p90", "p90_ns", "p90"},
                  {"p99", "p99_ns", "p99"}};
  for (const auto& figure : kFigures) {
    const auto measured = find_number(prediction, fmt::format("/measured/{}", figure.key));
    if (!measured) continue;
    const auto of = [&](const char* what) {
      return predicted(prediction, fmt::format("/{}/{}", what, figure.key),
                       fmt::format("/{}/error/{}", what, figure.error));
    };
    const bool first = &figure == &kFigures[0];
    table.rows.push_back({{role + ": " + figure.shown},
                          {duration_text(measured)},
                          of("replay"),
                          of("model"),
                          {first && !law.empty() ? law : "–", Tone::kMuted},
                          {first ? failed_assumptions(prediction) : "–", Tone::kMuted}});
    if (table.rows.back().back().text.empty()) table.rows.back().back().text = "–";
  }
  const auto took = find_number(prediction, "/makespan/measured_ns");
  const auto replayed = find_number(prediction, "/makespan/replay_ns");
  if (!took || !replayed || *took <= 0) return;
  Cell replay{duration_text(replayed), Tone::kPlain, fmt::format("{:+.1f} %", 100 * (*replayed / *took - 1))};
  const auto push = find_number(prediction, "/makespan/push_ns");
  const auto fair = find_number(prediction, "/makespan/fair_ns");
  const std::string bounds = push && fair ? fmt::format("dealt out in turn {}, each to who is free {}",
                                                        duration_text(push), duration_text(fair))
                                          : "–";
  table.rows.push_back({{role + ": until all was done"},
                        {duration_text(took)},
                        replay,
                        {"none", Tone::kMuted},
                        {"–", Tone::kMuted},
                        {bounds, Tone::kMuted}});
}

}  // namespace

Table theory_table(const ChartVariant& variant) {
  Table table{
      "Theory beside measurement",
      "Waits until the work began. The replay sends this run's own messages, with the work they took, "
      "through one "
      "line, first come, first served; the law knows only their rate and their mean. In per cent: how far a "
      "prediction is off, as a share of the time until the work was done.",
      {{"what", false},
       {"measured"},
       {"replay"},
       {"law"},
       {"which", false},
       {"assumption that fails", false}},
      {}};
  for (std::size_t i = 0; i < variant.runs.size(); ++i) {
    const Json* list = find_value(*variant.runs[i], "/theory");
    if (list == nullptr || !list->is_array()) continue;
    for (const Json& prediction : *list) {
      const std::string repetition =
          variant.runs.size() > 1 ? fmt::format(" (repetition {})", i + 1) : std::string();
      add_rows(table, find_text(prediction, "/role") + repetition, prediction);
    }
  }
  return table;
}

}  // namespace brokerlab::report
