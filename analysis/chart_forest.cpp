#include "analysis/chart_forest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/chart_panels.h"
#include "analysis/effect.h"
#include "analysis/metrics.h"

namespace brokerlab::chart {
namespace {

constexpr double kFurthest = 64;  // ratios beyond are drawn at the edge
constexpr double kWide = 2;       // beyond such a ratio the axis is logarithmic

// What a mark's colour says.
struct Meaning {
  const char* name;
  const char* colour;
};
constexpr std::array kMeanings = std::to_array<Meaning>({{"better", "@good"},
                                                         {"worse", "@lost"},
                                                         {"the same", "@series2"},
                                                         {"not decided", "@muted"},
                                                         {"not to be trusted", "@soft"}});

std::size_t meaning_of(const Json& pair) {
  if (find_value(pair, "/untrusted") != nullptr) return 4;
  if (const Json* worse = find_value(pair, "/worse"); worse != nullptr && worse->is_boolean())
    return worse->get<bool>() ? 1 : 0;
  return find_text(pair, "/verdict") == "equivalent" ? 2 : 3;
}

const HeadlineMetric* metric_of(const Json& pair) {
  const std::string name = find_text(pair, "/metric");
  const auto metrics = headline_metrics();
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const HeadlineMetric& metric) { return metric.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

// A row has a mark, or where there is no ratio a few words. What was zero on both sides has none.
bool is_row(const Json& pair) {
  if (find_number(pair, "/trials").value_or(0) < 1 || metric_of(pair) == nullptr) return false;
  if (find_value(pair, "/exact") != nullptr) return find_value(pair, "/worse") != nullptr;
  return find_value(pair, "/p") != nullptr;
}

std::string words_of(const Json& pair) {
  const MetricUnit unit = metric_of(pair)->unit;
  const auto text = [&](double value) { return value == 0 ? "none" : format_metric(unit, std::abs(value)); };
  if (const auto difference = find_number(pair, "/difference"))
    return *difference == 0 ? "no difference" : text(*difference) + (*difference > 0 ? " more" : " less");
  return text(find_number(pair, "/exact/variant_most").value_or(0)) + " against " +
         text(find_number(pair, "/exact/baseline_most").value_or(0));
}

// The pairs of one result, by variant.
struct Group {
  std::string heading;
  std::vector<const Json*> rows;
};

void add_groups(const Json& result, const std::string& prefix, std::vector<Group>& groups) {
  const Json* pairs = find_value(result, "/comparison/pairs");
  if (pairs == nullptr || !pairs->is_array()) return;
  std::string last;
  for (const Json& pair : *pairs) {
    if (!is_row(pair)) continue;
    const std::string heading =
        fmt::format("{}{} against {}", prefix, find_text(pair, "/variant"), find_text(pair, "/baseline"));
    if (groups.empty() || heading != last) groups.push_back({heading, {}});
    groups.back().rows.push_back(&pair);
    last = heading;
  }
}

std::vector<Group> groups_of(const ChartSource& source) {
  std::vector<Group> groups;
  const bool several = source.results().size() > 1;
  for (const Json* result : source.results())
    add_groups(*result, several ? find_text(*result, "/experiment") + " · " : "", groups);
  return groups;
}

double held(double ratio) { return std::clamp(ratio, 1 / kFurthest, kFurthest); }

// All panels share one axis, with the same room on both sides of no change.
double reach_of(const std::vector<Group>& groups, double margin) {
  double furthest = std::log1p(2 * margin);
  for (const Group& group : groups) {
    for (const Json* pair : group.rows) {
      for (const char* at : {"/ratio", "/interval/low", "/interval/high"}) {
        const auto value = find_value(*pair, "/ratio") != nullptr ? find_number(*pair, at) : std::nullopt;
        if (value && *value > 0) furthest = std::max(furthest, std::abs(std::log(held(*value))));
      }
    }
  }
  return std::exp(1.1 * furthest);
}

Json ratio_axis(double reach) {
  constexpr const char* kName = "change against the first variant";
  Json axis = horizontal(reach > kWide ? log_axis(kName, "@change") : value_axis(kName, "@change"));
  // ECharts has a tick at every power of the base, unless there are ten and more of them.
  if (reach > kWide) axis["logBase"] = reach < 32 ? 2 : 4;
  axis["min"] = 1 / reach;
  axis["max"] = reach;
  axis["axisLabel"]["showMinLabel"] = false;
  axis["axisLabel"]["showMaxLabel"] = false;
  return axis;
}

// The margin and the line of no change hang on a series without points.
Json margin_of(double margin) {
  Json carrier = line("", "@muted", Json::array({Json::array({1, nullptr})}));
  carrier["symbol"] = "none";
  carrier["tooltip"] = {{"show", false}};
  carrier["markArea"] = {
      {"silent", true},
      {"itemStyle", {{"color", "@grid"}}},
      {"data", Json::array({Json::array({{{"xAxis", 1 / (1 + margin)}}, {{"xAxis", 1 + margin}}})})}};
  carrier["markLine"] = {{"silent", true},
                         {"symbol", "none"},
                         {"label", {{"show", false}}},
                         {"lineStyle", {{"color", "@muted"}, {"type", "solid"}, {"width", 1}}},
                         {"data", Json::array({{{"xAxis", 1}}})}};
  return carrier;
}

Json intervals(const Meaning& meaning, Json marks) {
  return {{"type", "custom"},
          {"name", meaning.name},
          {"renderItem", "@interval"},
          {"clip", true},
          {"encode", {{"x", {0, 1, 2}}, {"y", 3}}},
          {"color", meaning.colour},
          {"itemStyle", {{"color", meaning.colour}}},
          {"data", std::move(marks)}};
}

Json notes(const Meaning& meaning, Json marks) {
  return {{"type", "scatter"},
          {"name", meaning.name},
          {"symbol", "diamond"},
          {"symbolSize", 9},
          {"color", meaning.colour},
          {"itemStyle", {{"color", meaning.colour}, {"opacity", 1}}},
          {"label", {{"show", true}, {"position", "right"}, {"color", "@ink"}}},
          {"silent", true},
          {"data", std::move(marks)}};
}

// [low, high, ratio, row]; without an interval null. Notes stand at no change.
void add_marks(const Group& group, Panels& panels) {
  std::array<Json, kMeanings.size()> marks, words;
  for (std::size_t row = 0; row < group.rows.size(); ++row) {
    const Json& pair = *group.rows[row];
    const std::size_t meaning = meaning_of(pair);
    const auto ratio = find_number(pair, "/ratio");
    if (!ratio) {
      words[meaning].push_back({{"value", {1, row}}, {"label", {{"formatter", words_of(pair)}}}});
      continue;
    }
    const auto end = [&](const char* at) {
      const auto value = find_number(pair, at);
      return value ? rounded(held(*value)) : Json();
    };
    marks[meaning].push_back(
        Json::array({end("/interval/low"), end("/interval/high"), rounded(held(*ratio)), row}));
  }
  for (std::size_t i = 0; i < kMeanings.size(); ++i) {
    if (!marks[i].is_null()) panels.add(intervals(kMeanings[i], std::move(marks[i])));
    if (!words[i].is_null()) panels.add(notes(kMeanings[i], std::move(words[i])));
  }
}

}  // namespace

bool has_forest(const ChartSource& source) { return !groups_of(source).empty(); }

ChartDrawing draw_forest(const ChartSource& source) {
  const double margin = EffectRule().margin;
  const std::vector<Group> groups = groups_of(source);
  const double reach = reach_of(groups, margin);
  std::vector<std::string> used;
  for (std::size_t i = 0; i < kMeanings.size(); ++i) {
    const bool any = std::any_of(groups.begin(), groups.end(), [&](const Group& group) {
      return std::any_of(group.rows.begin(), group.rows.end(),
                         [&](const Json* pair) { return meaning_of(*pair) == i; });
    });
    if (any) used.emplace_back(kMeanings[i].name);
  }
  Panels panels;
  panels.legend(used, LegendSign::kBox);
  for (const Group& group : groups) {
    std::vector<std::string> titles;
    for (const Json* pair : group.rows) titles.emplace_back(metric_of(*pair)->title);
    Json figures = category_axis(titles);
    figures["inverse"] = true;
    panels.begin(group.heading, "@ink", row_height(titles) * static_cast<int>(titles.size()),
                 ratio_axis(reach), std::move(figures));
    panels.add(margin_of(margin));
    add_marks(group, panels);
  }
  ChartDrawing drawing = panels.finish();
  drawing.option["tooltip"]["show"] = false;  // the table below says each in words
  return drawing;
}

}  // namespace brokerlab::chart
