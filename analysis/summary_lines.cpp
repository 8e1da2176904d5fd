#include "analysis/summary_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/metrics.h"

namespace brokerlab::summary {

std::string plain(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    result += code < 0x20 || code == 0x7f ? '?' : letter;
  }
  // C1 control characters, as UTF-8.
  for (std::size_t i = 0; i + 1 < result.size(); ++i)
    if (result[i] == '\xc2' && static_cast<unsigned char>(result[i + 1]) < 0xa0) result.replace(i, 2, "?");
  return result;
}

std::string fitted(std::string_view text, int columns) {
  int width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (++width > columns) return std::string(text.substr(0, i));
  }
  return std::string(text);
}

int width_of(std::string_view text) {
  return static_cast<int>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string cell(std::string_view text, int columns) {
  std::string result = fitted(text, columns);
  return result.append(static_cast<std::size_t>(std::max(0, columns - width_of(result))), ' ');
}

std::string right(std::string_view text, int columns) { return fmt::format("{:>{}}", text, columns); }

std::vector<std::string> wrapped(std::string_view heading, std::string_view text, int columns) {
  const auto width = static_cast<std::size_t>(std::max(20, columns - 11));
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t end = text.size();
    if (end > width) {
      const std::size_t space = text.rfind(' ', width);
      end = space == std::string_view::npos || space == 0 ? fitted(text, static_cast<int>(width)).size()
                                                          : space;
    }
    lines.push_back(cell(lines.empty() ? heading : "", 11) + std::string(text.substr(0, end)));
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return lines;
}

namespace {

struct ShortFigure {
  const char* metric;
  const char* heading;  // at most eleven characters
};
// Where variants stand below each other, in order of preference.
constexpr std::array kShortFigures =
    std::to_array<ShortFigure>({{"pipeline.completed", "completed"},
                                {"pipeline.deliveries_per_completed", "deliv./each"},
                                {"ledger.lost", "lost"},
                                {"ledger.dead_lettered", "dead letter"},
                                {"recovery.redelivered", "redelivered"},
                                {"recovery.wasted_work", "wasted work"},
                                {"makespan", "makespan"},
                                {"fairness.by_busy_time.jain", "Jain, busy"},
                                {"network.unroutable_share", "unroutable"},
                                {"network.amplification", "deliv./task"},
                                {"end_to_end.p50", "arrived p50"},
                                {"rates.delivered_per_s", "delivered"}});

std::string median_text(const Json& variant, const char* metric) {
  for (const HeadlineMetric& known : headline_metrics()) {
    if (known.name != metric || !variant.at("medians").contains(metric)) continue;
    return format_metric(known.unit, variant.at("medians").at(metric).get<double>());
  }
  return "-";
}

// The figures that tell the variants apart, as many as fit.
std::vector<ShortFigure> telling_figures(const Json& variants, std::size_t most) {
  std::vector<ShortFigure> telling;
  for (const ShortFigure& figure : kShortFigures) {
    const std::string first = median_text(variants[0], figure.metric);
    const bool differs = std::any_of(variants.begin(), variants.end(), [&](const Json& variant) {
      return median_text(variant, figure.metric) != first;
    });
    if (differs && telling.size() < most) telling.push_back(figure);
  }
  return telling;
}

// Variants as rows: for more of them, or longer names, than columns have room for.
void add_rows(const Json& comparison, int columns, std::size_t below, Lines& lines) {
  constexpr int kName = 32, kColumn = 12;
  const Json& variants = comparison.at("variants");
  const auto figures =
      telling_figures(variants, static_cast<std::size_t>(std::max(1, (columns - kName) / kColumn)));
  std::string heading = cell("", kName);
  for (const ShortFigure& figure : figures) heading += right(figure.heading, kColumn);
  lines.add(heading, Lines::Tone::kHeading);
  const std::size_t room = lines.room() > below + 5 ? lines.room() - below - 5 : 1;
  const std::size_t shown = variants.size() <= room ? variants.size() : room - 1;
  for (std::size_t i = 0; i < shown; ++i) {
    std::string row = cell(plain(variants[i].at("variant").get<std::string>()), kName);
    for (const ShortFigure& figure : figures) row += right(median_text(variants[i], figure.metric), kColumn);
    lines.add(row);
  }
  if (shown < variants.size())
    lines.add(fmt::format("… and {} more variants in the report", variants.size() - shown));
}

// "speed-up   worker: 1 -> 1.00, 2 -> 1.98 (efficiency 0.99)"
void add_scaling(const Json& comparison, Lines& lines) {
  constexpr std::size_t kMostGroups = 3;
  const Json groups = comparison.value("scaling", Json::array());
  for (std::size_t i = 0; i < std::min(groups.size(), kMostGroups); ++i) {
    const Json& variants = groups[i].at("variants");
    std::vector<std::string> figures;
    for (const Json& each : variants) {
      figures.push_back(fmt::format("{} x {:.2f}", each.at("instances").get<std::int64_t>(),
                                    each.at("speed_up").get<double>()));
    }
    figures.front() = fitted(plain(groups[i].at("role").get<std::string>()), 16) + ": " + figures.front();
    figures.push_back(fmt::format("efficiency {:.2f}", variants.back().at("efficiency").get<double>()));
    lines.add_figures(i == 0 ? "speed-up" : "", figures);
  }
  if (groups.size() > kMostGroups)
    lines.add(fmt::format("           … and {} more in the report", groups.size() - kMostGroups));
}

void add_aa(const Json& comparison, Lines& lines) {
  const auto aa = comparison.find("aa");
  if (aa == comparison.end()) return;
  const std::string sentence = plain(aa->at("sentence").get<std::string>());
  const std::size_t half = std::min(sentence.find("; "), sentence.find(": "));
  if (half == std::string::npos) return lines.add_figures("A/A", {sentence});
  lines.add_figures("A/A", {sentence.substr(0, half + 1), sentence.substr(half + 2)});
}

bool compared(const Json& comparison, const HeadlineMetric& metric) {
  const Json& metrics = comparison.at("metrics");
  return std::any_of(metrics.begin(), metrics.end(),
                     [&](const Json& each) { return each.at("name") == metric.name; });
}

// Variants as columns; as many as fit.
void add_table(const Json& comparison, int columns, std::size_t below, Lines& lines) {
  constexpr int kTitle = 22, kColumn = 14;
  const Json& variants = comparison.at("variants");
  const std::size_t fit =
      std::min(variants.size(), static_cast<std::size_t>(std::max(1, (columns - kTitle) / kColumn)));
  std::string heading = cell("", kTitle), verdicts = cell("verdict", kTitle);
  for (std::size_t i = 0; i < fit; ++i) {
    heading += " " + cell(plain(variants[i].at("variant").get<std::string>()), kColumn - 1);
    verdicts += " " + cell(variants[i].at("verdict").get<std::string>(), kColumn - 1);
  }
  lines.add(heading, Lines::Tone::kHeading);
  for (const HeadlineMetric& metric : headline_metrics()) {
    if (!compared(comparison, metric)) continue;
    std::string row = cell(metric.title, kTitle);
    for (std::size_t i = 0; i < fit; ++i) {
      const Json& medians = variants[i].at("medians");
      const bool known = medians.contains(std::string(metric.name));
      row += " " + cell(known ? format_metric(metric.unit, medians.at(std::string(metric.name)).get<double>())
                              : "-",
                        kColumn - 1);
    }
    if (lines.room() > 5 + below) lines.add(row);
  }
  lines.add(verdicts);
  if (fit < variants.size())
    lines.add(fmt::format("… and {} more variants in the report", variants.size() - fit));
}

}  // namespace

void add_comparison(const Json& comparison, int columns, std::size_t below, Lines& lines) {
  Lines scaling = lines.empty_one();
  add_scaling(comparison, scaling);
  add_aa(comparison, scaling);
  const Json& variants = comparison.at("variants");
  const bool narrow =
      variants.size() <= 4 && std::all_of(variants.begin(), variants.end(), [](const Json& each) {
        return width_of(each.at("variant").get<std::string>()) <= 13;
      });
  (narrow ? add_table : add_rows)(comparison, columns, scaling.size() + below, lines);
  lines.add(scaling);
}

}  // namespace brokerlab::summary
