#include <fmt/format.h>

#include <cmath>

#include "analysis/search_text.h"
#include "analysis/summary_lines.h"
#include "core/rate_text.h"
#include "core/units.h"

namespace brokerlab::summary {
namespace {

constexpr int kRate = 12, kFigure = 11, kOutcome = 18;
constexpr std::size_t kBelow = 6;  // lines of the verdict and something of the warnings

std::string duration(std::optional<double> ns) {
  return ns ? format_duration(std::llround(*ns)) : std::string("-");
}

Lines::Tone tone_of(const std::string& outcome) {
  if (outcome == "sustained") return Lines::Tone::kGood;
  return outcome == "not sustained" ? Lines::Tone::kBad : Lines::Tone::kDoubtful;
}

std::string row_text(const SearchRow& row) {
  const std::string outcome =
      fmt::format("{} {}/{}", row.outcome.empty() ? "not decided" : row.outcome, row.sustained, row.trials);
  return right(format_rate(row.rate_per_s), kRate) + "  " + cell(outcome, kOutcome) +
         right(duration(row.p50_ns), kFigure) + right(duration(row.p99_ns), kFigure) +
         right(row.delivered_per_s ? format_rate(*row.delivered_per_s) : "-", kFigure) +
         right(row.growth_per_s ? format_whole_rate(*row.growth_per_s) : "-", kFigure);
}

}  // namespace

void add_search(const Json& result, int columns, Lines& lines) {
  for (const std::string& sentence : search_sentences(result))
    for (const std::string& line : wrapped("search", plain(sentence), columns))
      if (lines.room() > kBelow) lines.add(line);
  const std::vector<SearchRow> rows = search_rows(result);
  if (rows.empty() || lines.room() < kBelow + 3) return;
  lines.add(right("rate", kRate) + "  " + cell("trials passed", kOutcome) + right("arrived p50", kFigure) +
                right("p99", kFigure) + right("delivered", kFigure) + right("backlog", kFigure),
            Lines::Tone::kHeading);
  std::string variant = rows.front().variant;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (lines.room() < kBelow + 2 && i + 1 < rows.size())
      return lines.add(fmt::format("… and {} more rates in the report", rows.size() - i));
    if (rows[i].variant != rows.front().variant && rows[i].variant != variant)
      lines.add(plain(rows[i].variant));
    variant = rows[i].variant;
    lines.add(row_text(rows[i]), tone_of(rows[i].outcome));
  }
}

}  // namespace brokerlab::summary
