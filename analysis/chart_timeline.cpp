#include "analysis/chart_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace brokerlab::chart {

// The values of a series of one run; null where it has none.
const Json* points_of(const Json& run, std::string_view key) {
  const Json* points = find_value(run, fmt::format("/series/{}", key));
  return points != nullptr && points->is_array() && !points->empty() ? points : nullptr;
}

double interval_ms(const Json& run) {
  return milliseconds(find_number(run, "/series/interval_ns").value_or(0));
}

bool all_null(const Json& points) {
  return std::all_of(points.begin(), points.end(), [](const Json& value) { return !value.is_number(); });
}

bool all_zero(const Json& points) {
  return std::all_of(points.begin(), points.end(),
                     [](const Json& value) { return !value.is_number() || value == 0; });
}

// [time in ms, value * scale], each in the middle of its interval.
Json timed(const Json& values, double interval, double scale) {
  Json points = Json::array();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double at = (static_cast<double>(i) + 0.5) * interval;
    const Json value = values[i].is_number() ? rounded(values[i].get<double>() * scale) : Json();
    points.push_back({rounded(at), value});
  }
  return points;
}

// The mean over the repetitions, interval by interval. Repetitions with another interval are left out.
Json mean_points(const ChartVariant& variant, std::string_view key) {
  const std::string part = key.substr(0, 7) == "broker/" ? "broker/" : "";
  const auto interval_ms = [&](const Json& run) {
    return milliseconds(find_number(run, "/series/" + part + "interval_ns").value_or(0));
  };
  double interval = 0;
  std::vector<double> sums;
  std::vector<int> counts;
  for (const Json* run : variant.runs) {
    const Json* points = points_of(*run, key);
    if (points == nullptr || interval_ms(*run) <= 0) continue;
    if (interval == 0) interval = interval_ms(*run);
    if (interval_ms(*run) != interval) continue;
    if (points->size() > sums.size()) {
      sums.resize(points->size());
      counts.resize(points->size());
    }
    for (std::size_t i = 0; i < points->size(); ++i) {
      if (!(*points)[i].is_number()) continue;
      sums[i] += (*points)[i].get<double>();
      ++counts[i];
    }
  }
  Json means = Json::array();
  for (std::size_t i = 0; i < sums.size(); ++i)
    means.push_back(counts[i] > 0 ? Json(sums[i] / counts[i]) : Json());
  return all_null(means) ? Json::array() : timed(means, interval, 1);
}

namespace {

// "kill consumer" from when to when, of the first repetition, as ECharts' marks on a series.
Json fault_marks(const ChartVariant& variant) {
  Json areas = Json::array();
  Json lines = Json::array();
  const Json* faults = variant.runs.empty() ? nullptr : find_value(*variant.runs.front(), "/faults");
  for (const Json& fault : faults != nullptr && faults->is_array() ? *faults : Json::array()) {
    const auto at = find_number(fault, "/at_ns");
    if (!at) continue;
    const std::string name =
        display_text(fmt::format("{} {}", find_text(fault, "/kind"), find_text(fault, "/target")), 32);
    const auto ended = find_number(fault, "/ended_ns");
    // A window narrower than a point of the series would hardly be seen.
    if (ended && milliseconds(*ended - *at) > interval_ms(*variant.runs.front())) {
      areas.push_back({{{"name", name}, {"xAxis", rounded(milliseconds(*at))}},
                       {{"xAxis", rounded(milliseconds(*ended))}}});
    } else {
      lines.push_back({{"name", name}, {"xAxis", rounded(milliseconds(*at))}});
    }
  }
  Json marks = Json::object();
  if (!areas.empty()) {
    marks["markArea"] = {{"silent", true},
                         {"itemStyle", {{"color", "@fault"}}},
                         {"label", {{"color", "@faultink"}, {"fontSize", 11}, {"position", "insideTop"}}},
                         {"data", std::move(areas)}};
  }
  if (!lines.empty()) {
    marks["markLine"] = {
        {"silent", true},
        {"symbol", "none"},
        {"lineStyle", {{"color", "@faultink"}, {"type", "solid"}, {"width", 1}}},
        {"label",
         {{"color", "@faultink"}, {"fontSize", 11}, {"formatter", "{b}"}, {"position", "insideEndTop"}}},
        {"data", std::move(lines)}};
  }
  return marks;
}

}  // namespace

bool has_faults(const ChartVariant& variant) { return !fault_marks(variant).empty(); }

// Marks hang on a series without points, so that hiding a line in the legend does not hide the faults.
void add_faults(Panels& panels, const ChartVariant& variant) {
  const Json marks = fault_marks(variant);
  if (marks.empty()) return;
  Json carrier = line("", "@faultink", Json::array({{0, nullptr}}));
  carrier["symbol"] = "none";
  carrier["tooltip"] = {{"show", false}};
  carrier.update(marks);
  panels.add(std::move(carrier));
}

// All panels share one time axis, as long as the longest run.
double longest_ms(const ChartSource& source) {
  double longest = 0;
  for (const ChartVariant& variant : source.variants()) {
    for (const Json* run : variant.runs) {
      for (const auto& key :
           {"offered_per_s", "published_per_s", "delivered_per_s", "backlog", "end_to_end_p50_ns"}) {
        const Json* points = points_of(*run, key);
        if (points != nullptr)
          longest = std::max(longest, interval_ms(*run) * static_cast<double>(points->size()));
      }
    }
  }
  return longest;
}

Json time_axis(double end) {
  Json axis = horizontal(value_axis("time since the start", "@duration"));
  axis["min"] = 0;
  if (end > 0) axis["max"] = rounded(end);
  axis["axisLabel"]["showMaxLabel"] = false;
  axis["axisPointer"] = {{"label", {{"formatter", "@duration"}}}};
  return axis;
}

std::string heading_of(const ChartSource& source, const ChartVariant& variant) {
  return source.variants().size() > 1 ? variant.name : "";
}

// Legend signs in neutral ink: the stroke tells the quantity, the colour tells the variant.
void neutral_legend(ChartDrawing& drawing) {
  for (Json& entry : drawing.option["legend"]["data"]) {
    const std::string name = entry;
    entry = {{"name", name},
             {"lineStyle",
              {{"color", name == "offered"       ? "@soft"
                         : name == "redelivered" ? "@ink"
                                                 : "@muted"}}}};
  }
}

}  // namespace brokerlab::chart
