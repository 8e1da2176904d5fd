#include "analysis/chart_latency.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/chart_panels.h"

namespace brokerlab::chart {
namespace {

constexpr double kSamplesBeyond = 10;  // a percentile is trusted where at least so many samples lie beyond it
constexpr double kStep = 0.01;         // of the percentile axis: 100 points per decade

// Positions on the percentile axis: log10(1 / (1 - q)), so that each further nine takes the same room.
struct Curve {
  Json trusted = Json::array();
  Json tail = Json::array();  // the rest: fewer than ten samples beyond each point
  double lowest = 0;
  double highest = 0;
  double end = 0;  // of the percentile axis
};

Curve curve_of(const Histogram& histogram) {
  Curve curve;
  const auto count = static_cast<double>(histogram.count());
  curve.end = std::log10(count);
  const double trusted_end = std::log10(std::max(1.0, count / kSamplesBeyond));
  double next = 0;
  double before = 0;  // samples before this bucket
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    const double value = milliseconds(static_cast<double>(bucket.value));
    if (curve.lowest == 0) curve.lowest = value;
    curve.highest = value;
    before += static_cast<double>(bucket.samples);
    const double reached = before >= count ? curve.end : std::log10(count / (count - before));
    for (; next <= reached + 1e-9; next += kStep) {
      const Json point = {std::round(next * 1e3) / 1e3, rounded(value)};
      if (next <= trusted_end + 1e-9) curve.trusted.push_back(point);
      if (next >= trusted_end - kStep) curve.tail.push_back(point);
    }
  }
  return curve;
}

// Several lines in a row of the same height need only their ends.
Json thinned(const Json& points) {
  Json kept = Json::array();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool inner = i > 0 && i + 1 < points.size() && points[i - 1][1] == points[i][1] &&
                       points[i + 1][1] == points[i][1];
    if (!inner) kept.push_back(points[i]);
  }
  return kept;
}

// Beyond a few variants the uncorrected view would only hide the others.
constexpr std::size_t kMostWithUncorrected = 4;

void add_curve(Json& series, Json trusted, const Curve& curve, bool dashed) {
  trusted["symbol"] = "none";
  if (dashed) {
    trusted["lineStyle"]["width"] = 1.5;
    trusted["lineStyle"]["type"] = "dashed";
  }
  Json tail = trusted;
  trusted["data"] = thinned(curve.trusted);
  tail["data"] = thinned(curve.tail);
  tail["lineStyle"]["type"] = "dotted";
  tail["lineStyle"]["opacity"] = 0.55;
  series.push_back(std::move(trusted));
  if (curve.tail.size() > 1) series.push_back(std::move(tail));
}

Json percentile_axis(double end) {
  Json axis = horizontal(value_axis("percentile of messages", "@percentile"));
  axis["min"] = 0;
  axis["max"] = rounded(std::max(end, 1.0));
  axis["interval"] = 1;
  axis["axisLabel"]["showMaxLabel"] = end == std::floor(end);
  axis["axisPointer"] = {{"label", {{"formatter", "@percentile"}}}};
  return axis;
}

ChartDrawing draw_percentiles(const ChartSource& source, std::string_view stream,
                              std::string_view uncorrected, const std::string& axis_name) {
  ChartDrawing drawing{base_option()};
  Json series = Json::array();
  std::vector<std::string> names;
  Extent extent;
  double end = 0;
  const auto add = [&](const ChartVariant& variant, const std::string& name, const Histogram& histogram,
                       bool dashed) {
    const Curve curve = curve_of(histogram);
    extent.include(curve.lowest, curve.highest);
    end = std::max(end, curve.end);
    Json drawn = line_of(variant, Json::array());
    drawn["name"] = name;
    add_curve(series, std::move(drawn), curve, dashed);
    names.push_back(name);
  };
  for (const ChartVariant& variant : source.variants()) {
    const auto histogram = merged_histogram(variant, stream);
    if (!histogram) continue;
    add(variant, variant.name, *histogram, false);
    if (uncorrected.empty() || source.variants().size() > kMostWithUncorrected) continue;
    if (const auto from_sent = merged_histogram(variant, uncorrected)) {
      add(variant, variant.name + " (from the send)", *from_sent, true);
    }
  }
  const int legend = add_legend(drawing.option, names, LegendSign::kLine);
  const Area area{legend + 30, 330};
  drawing.option["grid"] = grid(area);
  drawing.option["xAxis"] = percentile_axis(end);
  drawing.option["yAxis"] = duration_axis(extent, axis_name);
  drawing.option["tooltip"]["valueFormatter"] = "@duration";
  drawing.option["series"] = std::move(series);
  drawing.height = area.top + area.height + 40;
  return drawing;
}

// Of all repetitions together: the waits of one role under "/theory/<n>/<which>/hdr".
std::optional<Histogram> merged_waits(const ChartVariant& variant, const std::string& role,
                                      const char* which) {
  return merged_histogram(variant, [&](const Json& run) -> const Json* {
    const Json* list = find_value(run, "/theory");
    if (list == nullptr || !list->is_array()) return nullptr;
    const auto of_role = std::find_if(list->begin(), list->end(), [&](const Json& prediction) {
      return find_text(prediction, "/role") == role;
    });
    return of_role == list->end() ? nullptr : find_value(*of_role, fmt::format("/{}/hdr", which));
  });
}

// What a law says of the first repetition, as points; it knows few percentiles.
Json law_points(const Json& prediction) {
  Json points = Json::array();
  for (const auto& [key, position] :
       {std::pair{"/model/p50_ns", std::log10(2.0)}, {"/model/p90_ns", 1.0}, {"/model/p99_ns", 2.0}}) {
    const auto value = find_number(prediction, key);
    if (!value) continue;
    points.push_back({rounded(position), rounded(milliseconds(*value))});
  }
  return points;
}

bool has_stream(const ChartSource& source, std::string_view stream) {
  return source.any("/latency/" + std::string(stream) + "/hdr");
}

// The share of samples at or below each value: 200 points, by rank, so that steep parts are well covered.
Json ecdf_points(const Histogram& histogram) {
  Json points = Json::array();
  const auto count = static_cast<double>(histogram.count());
  double reached = 0;
  double last = -1;
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    if (reached == 0) points.push_back({rounded(milliseconds(static_cast<double>(bucket.value))), 0});
    reached += static_cast<double>(bucket.samples);
    const double share = reached / count;
    if (share - last < 0.005 && share < 1) continue;
    last = share;
    points.push_back({rounded(milliseconds(static_cast<double>(bucket.value))), rounded(share)});
  }
  return points;
}

}  // namespace

bool has_latency(const ChartSource& source) { return has_stream(source, "end_to_end"); }
bool has_done_latency(const ChartSource& source) { return has_stream(source, "done"); }

ChartDrawing draw_latency(const ChartSource& source) {
  return draw_percentiles(source, "end_to_end", "delivery", "from due to received");
}

ChartDrawing draw_done_latency(const ChartSource& source) {
  return draw_percentiles(source, "done", "", "from due to done");
}

ChartDrawing draw_ecdf(const ChartSource& source) {
  ChartDrawing drawing{base_option()};
  Json series = Json::array();
  std::vector<std::string> names;
  Extent extent;
  for (const ChartVariant& variant : source.variants()) {
    const auto histogram = merged_histogram(variant, "end_to_end");
    if (!histogram) continue;
    extent.include(milliseconds(static_cast<double>(histogram->min())),
                   milliseconds(static_cast<double>(histogram->max())));
    Json curve = line_of(variant, ecdf_points(*histogram));
    curve["symbol"] = "none";
    curve["step"] = "end";
    series.push_back(std::move(curve));
    names.push_back(variant.name);
  }
  const Area area{add_legend(drawing.option, names, LegendSign::kLine) + 30, 330};
  Json shares = value_axis("share of messages received", "@share");
  shares["min"] = 0;
  shares["max"] = 1;
  drawing.option["grid"] = grid(area);
  drawing.option["xAxis"] = horizontal(duration_axis(extent, "from due to received"));
  drawing.option["yAxis"] = std::move(shares);
  drawing.option["tooltip"]["valueFormatter"] = "@share";
  drawing.option["xAxis"]["axisPointer"] = {{"label", {{"formatter", "@duration"}}}};
  drawing.option["series"] = std::move(series);
  drawing.height = area.top + area.height + 40;
  return drawing;
}

bool has_theory(const ChartSource& source) { return source.any("/theory/0/measured/hdr"); }

ChartDrawing draw_theory(const ChartSource& source) {
  Panels panels;
  panels.legend({"measured", "replay of this run", "textbook law"}, LegendSign::kLine);
  for (const ChartVariant& variant : source.variants()) {
    const Json* list = variant.runs.empty() ? nullptr : find_value(*variant.runs.front(), "/theory");
    for (const Json& prediction : list != nullptr && list->is_array() ? *list : Json::array()) {
      const std::string role = find_text(prediction, "/role");
      const auto measured = merged_waits(variant, role, "measured"),
                 replay = merged_waits(variant, role, "replay");
      if (!measured || !replay) continue;
      const Curve seen = curve_of(*measured), replayed = curve_of(*replay);
      const Json points = law_points(prediction);
      const std::string law = find_text(prediction, "/model/name");
      const std::string heading =
          (source.variants().size() > 1 ? variant.name + ", " : "") + role + (law.empty() ? "" : " · " + law);
      // Linear: many waits are none, which a logarithmic axis could not show.
      panels.begin(heading, colour_of(variant), 200, percentile_axis(seen.end),
                   value_axis("wait until the work began", "@duration"));
      const auto add = [&](const Curve& curve, const char* name, const char* colour, bool dashed) {
        Json both = Json::array();
        add_curve(both, line(name, colour, Json::array()), curve, dashed);
        for (Json& each : both) panels.add(std::move(each));
      };
      add(seen, "measured", "@series1", false);
      add(replayed, "replay of this run", "@series2", true);
      if (points.empty()) continue;
      Json law_series = line("textbook law", "@series3", points);
      law_series["symbol"] = "diamond";
      law_series["symbolSize"] = 10;
      law_series["lineStyle"]["width"] = 1;
      law_series["lineStyle"]["type"] = "dotted";
      panels.add(std::move(law_series));
    }
  }
  return panels.finish();
}

}  // namespace brokerlab::chart
