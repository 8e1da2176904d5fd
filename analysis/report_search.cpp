#include <fmt/format.h>

#include "analysis/report_model.h"
#include "analysis/report_text.h"
#include "analysis/search_text.h"
#include "core/rate_text.h"

namespace brokerlab::report {
namespace {

Tone tone_of(const std::string& outcome) {
  if (outcome == "sustained") return Tone::kGood;
  return outcome == "not sustained" ? Tone::kBad : Tone::kMuted;
}

std::string growth_text(std::optional<double> per_s) { return per_s ? format_whole_rate(*per_s) : ""; }

}  // namespace

Table search_table(const Json& result) {
  const auto needed = find_number(result, "/search/needed"), trials = find_number(result, "/search/trials");
  Table table{
      "Every rate that was tried",
      fmt::format("A rate is sustained when {} of its {} trials are. Figures are medians of its trials.",
                  count_text(needed), count_text(trials)),
      {{"rate"},
       {"", false},
       {"trials passed"},
       {"age at arrival p50"},
       {"p99"},
       {"delivered"},
       {"backlog grew by"},
       {"why not", false}},
      {}};
  const std::vector<SearchRow> rows = search_rows(result);
  const Json* variants = find_value(result, "/search/variants");
  const bool several = variants != nullptr && variants->size() > 1;
  if (several) table.columns.insert(table.columns.begin(), {"variant", false});
  for (const SearchRow& row : rows) {
    std::vector<Cell> cells = {{rate_text(row.rate_per_s)},
                               {row.outcome.empty() ? "not decided" : row.outcome, tone_of(row.outcome)},
                               {fmt::format("{} of {}", row.sustained, row.trials)},
                               {duration_text(row.p50_ns)},
                               {row.p50_ns && !row.p99_ns ? "too few samples" : duration_text(row.p99_ns)},
                               {rate_text(row.delivered_per_s)},
                               {growth_text(row.growth_per_s)},
                               {row.reason.empty() ? "–" : row.reason}};
    if (several) cells.insert(cells.begin(), {row.variant});
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace brokerlab::report
