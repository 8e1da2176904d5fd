#include "analysis/chart_churn.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/chart_panels.h"
#include "analysis/chart_style.h"
#include "analysis/chart_timeline.h"
#include "analysis/report_text.h"

namespace brokerlab::chart {
namespace {

constexpr int kPanelHeight = 170;
constexpr int kRowHeight = 46;  // two bars and a gap
constexpr std::size_t kColours = 8;
constexpr double kRoomForLabels = 1.5;  // of an axis, as a multiple of its longest bar

constexpr std::array<const char*, 10> kOperations = {"connection_open",
                                                     "connection_close",
                                                     "channel_open",
                                                     "channel_close",
                                                     "queue_declare",
                                                     "queue_delete",
                                                     "bind",
                                                     "unbind",
                                                     "consume",
                                                     "cancel"};

struct Stroke {
  const char* key;
  double scale;
  double width;
  double widens;
  const char* type;
};
constexpr std::array<Stroke, 2> kRates = {
    {{"opened_per_s", 1, 1.2, 1.8, "solid"}, {"closed_per_s", 1, 1.5, 0, "dotted"}}};
constexpr std::array<Stroke, 2> kTimes = {
    {{"open_mean_ns", 1e-6, 2, 0, "solid"}, {"open_max_ns", 1e-6, 1, 0, "dotted"}}};

const Json& entries_of(const Json& run) {
  static const Json kNone = Json::array();
  const Json* entries = find_value(run, "/churn");
  return entries != nullptr && entries->is_array() ? *entries : kNone;
}

bool has_churn(const ChartVariant& variant) {
  return std::any_of(variant.runs.begin(), variant.runs.end(),
                     [](const Json* run) { return !entries_of(*run).empty(); });
}

// Of all variants, so that an entry has one colour and the legend each name once.
std::vector<std::string> names_of(const ChartSource& source) {
  std::vector<std::string> names;
  for (const ChartVariant& variant : source.variants()) {
    for (const Json* run : variant.runs) {
      for (const Json& entry : entries_of(*run)) {
        const std::string name = find_text(entry, "/name");
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
  }
  return names;
}

std::size_t place_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

double interval_ms(const Json& entry) {
  return milliseconds(find_number(entry, "/series/interval_ns").value_or(0));
}

// The longest series, in ms.
double end_of(const ChartVariant& variant) {
  double end = 0;
  for (const Json* run : variant.runs) {
    for (const Json& entry : entries_of(*run)) {
      const Json* points = find_value(entry, "/series/opened_per_s");
      if (points != nullptr) end = std::max(end, interval_ms(entry) * static_cast<double>(points->size()));
    }
  }
  return end;
}

// One line per entry, figure and repetition.
std::vector<Json> lines_of(const ChartVariant& variant, const std::array<Stroke, 2>& strokes,
                           const std::vector<std::string>& names, const char* formatter) {
  std::vector<Json> lines;
  for (const Json* run : variant.runs) {
    for (const Json& entry : entries_of(*run)) {
      for (const Stroke& stroke : strokes) {
        const Json* values = find_value(entry, fmt::format("/series/{}", stroke.key));
        if (values == nullptr || !values->is_array() || interval_ms(entry) <= 0) continue;
        const std::string name = find_text(entry, "/name");
        const std::size_t place = place_of(names, name);
        Json drawn = line(name, fmt::format("@series{}", place % kColours),
                          timed(*values, interval_ms(entry), stroke.scale));
        // Entries of one rate lie upon each other: thinner from one to the next, all can be seen.
        const std::size_t behind = std::min(names.size() - place, kColours) - 1;
        drawn["lineStyle"]["width"] = stroke.width + stroke.widens * static_cast<double>(behind);
        drawn["lineStyle"]["type"] = stroke.type;
        if (variant.runs.size() > 1) drawn["lineStyle"]["opacity"] = 0.6;
        drawn["tooltip"] = {{"valueFormatter", formatter}};
        lines.push_back(std::move(drawn));
      }
    }
  }
  return lines;
}

void add_rates(Panels& panels, const ChartVariant& variant, const std::string& heading,
               const std::vector<std::string>& names) {
  Json axis = value_axis("opened, closed (dotted) per second", "@count");
  axis["min"] = 0;
  panels.begin(heading, colour_of(variant), kPanelHeight, time_axis(end_of(variant)), std::move(axis));
  for (Json& drawn : lines_of(variant, kRates, names, "@rate")) panels.add(std::move(drawn));
}

void add_times(Panels& panels, const ChartVariant& variant, const std::vector<std::string>& names) {
  Extent extent;
  std::vector<Json> lines = lines_of(variant, kTimes, names, "@duration");
  for (const Json& drawn : lines) {
    for (const Json& point : drawn.at("data"))
      if (point[1].is_number()) extent.include(point[1], point[1]);
  }
  panels.begin("", "@ink", kPanelHeight, time_axis(end_of(variant)),
               duration_axis(extent, "until open: mean, slowest (dotted)"));
  for (Json& drawn : lines) panels.add(std::move(drawn));
}

// A bar that says itself what it is: beside the time axes of the other panels there is no room for names.
Json bar_of(double value_ms, const std::string& what) {
  const std::string time = report::duration_text(value_ms * 1e6);
  return {{"value", rounded(value_ms)}, {"label", {{"formatter", what + " " + time}}}};
}

Json bars(const char* name, const char* colour, Json values) {
  return {{"type", "bar"},
          {"name", name},
          {"barMaxWidth", 14},
          {"itemStyle", {{"borderRadius", 2}, {"color", colour}}},
          {"emphasis", {{"disabled", true}}},
          {"tooltip", {{"valueFormatter", "@duration"}}},
          {"label", {{"show", true}, {"position", "right"}, {"color", "@ink"}}},
          {"data", std::move(values)}};
}

// The furthest percentile beyond which ten samples lie; where there is none, the slowest. In ms.
std::pair<const char*, double> tail_of(const Histogram& times) {
  if (times.count() >= 1000) return {"p99", milliseconds(static_cast<double>(times.quantile(0.99)))};
  if (times.count() >= 100) return {"p90", milliseconds(static_cast<double>(times.quantile(0.9)))};
  return {"slowest", milliseconds(static_cast<double>(times.max()))};
}

// Each operation by itself, from its start to the broker's answer.
void add_operations(Panels& panels, const ChartVariant& variant) {
  std::vector<std::string> names;
  Json median = Json::array(), tail = Json::array();
  double longest = 0;
  for (const char* operation : kOperations) {
    const auto times = merged_histogram(variant, operation);
    if (!times || times->count() == 0) continue;
    names.emplace_back(operation);
    std::replace(names.back().begin(), names.back().end(), '_', ' ');
    const double p50 = milliseconds(static_cast<double>(times->quantile(0.5)));
    const auto [name, value] = tail_of(*times);
    median.push_back(bar_of(p50, names.back()));
    tail.push_back(bar_of(value, name));
    longest = std::max(longest, value);
  }
  if (names.empty()) return;
  Json rows = category_axis(names);
  rows["inverse"] = true;
  rows["axisLabel"]["show"] = false;
  Json scale = value_axis("", "@duration");
  scale["min"] = 0;
  scale["max"] = rounded(longest * kRoomForLabels);
  scale["axisLabel"]["showMaxLabel"] = false;
  panels.begin("Until the broker's answer", "@ink", kRowHeight * static_cast<int>(names.size()),
               std::move(scale), std::move(rows));
  panels.add(bars("median", "@muted", std::move(median)));
  panels.add(bars("tail", "@soft", std::move(tail)));
}

}  // namespace

bool has_churn(const ChartSource& source) {
  return std::any_of(source.variants().begin(), source.variants().end(),
                     [](const ChartVariant& variant) { return has_churn(variant); });
}

ChartDrawing draw_churn(const ChartSource& source) {
  Panels panels(Panels::Margins::kShared);
  const std::vector<std::string> names = names_of(source);
  panels.legend(names, LegendSign::kLine);
  for (const ChartVariant& variant : source.variants()) {
    if (!has_churn(variant)) continue;
    add_rates(panels, variant, source.variants().size() > 1 ? variant.name : "", names);
    add_times(panels, variant, names);
    add_operations(panels, variant);
  }
  return panels.finish();
}

}  // namespace brokerlab::chart
