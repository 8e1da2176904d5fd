#include "analysis/chart_knee.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "analysis/chart_panels.h"
#include "analysis/rate_curve.h"
#include "core/error.h"
#include "core/units.h"

namespace brokerlab::chart {
namespace {

constexpr int kLatencyHeight = 300, kRatesHeight = 160;
constexpr double kWide = 30;      // rates further apart stand on a logarithmic axis
constexpr double kBeside = 1.06;  // room beside the outermost rates

// How a trial of a search is marked; the runs of an ordinary result are dots of their curve's colour.
struct Mark {
  const char* outcome;
  const char* name;
  const char* symbol;
  const char* colour;  // "": the curve's
  int size;
};
constexpr std::array<Mark, 4> kMarks = {{{"sustained", "", "circle", "", 6},
                                         {"", "", "circle", "", 6},
                                         {"not sustained", "not sustained", "diamond", "@lost", 10},
                                         {"undecided", "undecided", "emptyDiamond", "@muted", 9}}};

struct Quantile {
  const char* name;
  double q;
  const char* pointer;  // in a stream
  const char* stroke;
};
constexpr Quantile kHalf = {"p50", 0.5, "p50_ns", "dashed"};
constexpr Quantile kTail = {"p99", 0.99, "p99_ns", "solid"};
constexpr Quantile kNearTail = {"p90", 0.9, "p90_ns", "solid"};

// Short trials are too few samples for the far end.
Quantile tail_of(const std::vector<RateCurve>& curves) {
  for (const RateCurve& curve : curves)
    for (const CurvePoint& point : curve.points)
      if (quantile_of(point, stream_of(curve), kTail.q)) return kTail;
  return kNearTail;
}

std::pair<double, double> ends_of(const std::vector<RateCurve>& curves) {
  double low = curves.front().points.front().offered_per_s, high = 0;
  for (const RateCurve& curve : curves) {
    low = std::min(low, curve.points.front().offered_per_s);
    high = std::max(high, curve.points.back().offered_per_s);
  }
  return {low, high};
}

Json rate_axis(const std::vector<RateCurve>& curves, const char* name) {
  const auto [low, high] = ends_of(curves);
  const bool wide = high > kWide * low;
  Json axis = horizontal(wide ? log_axis(std::string(name) + (*name != 0 ? " (log scale)" : ""), "@rate")
                              : value_axis(name, "@rate"));
  axis["min"] = wide ? rounded(low / kBeside) : Json(0);
  axis["max"] = rounded(high * kBeside);
  axis["axisLabel"]["showMaxLabel"] = false;
  if (wide) axis["axisLabel"]["showMinLabel"] = false;
  axis["axisPointer"] = {{"label", {{"formatter", "@rate"}}}};
  return axis;
}

std::string with_name(const std::vector<RateCurve>& curves, const RateCurve& curve, const char* what) {
  return curves.size() == 1 ? what : curve.name + " " + what;
}

Json curve_line(const RateCurve& curve, const std::string& name, const char* stroke, Json points) {
  ChartVariant of{curve.name, "", curve.colour, {}};
  Json drawn = line_of(of, std::move(points));
  drawn["name"] = name;
  drawn["symbol"] = "none";
  drawn["lineStyle"]["type"] = stroke;
  return drawn;
}

// The points of one kind: [rate, value] of single runs. The tooltip of the line says enough.
Json scatter(const std::string& name, const Mark& mark, const std::string& colour, Json points) {
  return {{"type", "scatter"},
          {"name", name},
          {"symbol", mark.symbol},
          {"symbolSize", mark.size},
          {"color", colour},
          {"itemStyle", {{"color", colour}, {"opacity", 0.8}}},
          {"tooltip", {{"show", false}}},
          {"emphasis", {{"disabled", true}}},
          {"data", std::move(points)}};
}

// `value_of` of each run, at the rate of its point.
template <typename Value>
void add_trials(const RateCurve& curve, const std::string& curve_name, Value value_of, Panels& panels) {
  for (const Mark& mark : kMarks) {
    Json points = Json::array();
    for (const CurvePoint& point : curve.points) {
      for (std::size_t i = 0; i < point.runs.runs.size(); ++i) {
        if (point.outcomes[i] != mark.outcome) continue;
        if (const Json value = rounded(value_of(*point.runs.runs[i])); !value.is_null())
          points.push_back({rounded(point.offered_per_s), value});
      }
    }
    if (points.empty()) continue;
    panels.add(scatter(*mark.name != 0 ? mark.name : curve_name, mark,
                       *mark.colour != 0 ? mark.colour : colour_of(ChartVariant{"", "", curve.colour, {}}),
                       std::move(points)));
  }
}

// A line at what is sustained, with its figure.
Json sustained_line(const RateCurve& curve) {
  const std::string colour = colour_of(ChartVariant{"", "", curve.colour, {}});
  return {{"silent", true},
          {"symbol", "none"},
          {"lineStyle", {{"color", colour}, {"type", "solid"}, {"width", 1}}},
          {"label",
           {{"show", true},
            {"position", "insideEndTop"},
            {"color", colour},
            {"formatter", "sustained " + format_rate(*curve.sustained_per_s)}}},
          {"data", Json::array({{{"xAxis", rounded(curve.sustained_per_s)}}})}};
}

// What lies beyond the lowest rate that failed.
Json beyond_area(const RateCurve& curve, double high) {
  return {{"silent", true},
          {"itemStyle", {{"color", "@fault"}}},
          {"label", {{"show", false}}},
          {"data", Json::array({Json::array({{{"xAxis", rounded(curve.lowest_failed_per_s)}},
                                             {{"xAxis", rounded(high * kBeside)}}})})}};
}

// The greatest latency that the conditions of a search allow that quantile, in milliseconds.
std::optional<double> limit_of(const ChartSource& source, const std::string& metric) {
  std::optional<double> limit;
  for (const Json* result : source.results()) {
    const Json* conditions = find_value(*result, "/search/conditions");
    for (const Json& condition :
         conditions != nullptr && conditions->is_array() ? *conditions : Json::array()) {
      const std::string text = condition.is_string() ? condition.get<std::string>() : "";
      const std::size_t sign = text.find('<'), begin = text.find_first_not_of("<= ", sign);
      const std::size_t end = text.find_first_of(" <", text.find_first_not_of(' '));
      if (sign == std::string::npos || begin == std::string::npos || text.substr(0, end) != metric) continue;
      try {
        limit = milliseconds(static_cast<double>(parse_duration(text.substr(begin))));
      } catch (const Error&) {
        continue;  // written in a way that only a threshold understands
      }
    }
  }
  return limit;
}

void add_limit(Json& series, double limit) {
  series["markLine"]["silent"] = true;
  series["markLine"]["symbol"] = "none";
  if (!series["markLine"].contains("data")) series["markLine"]["data"] = Json::array();
  series["markLine"]["data"].push_back(
      {{"yAxis", rounded(limit)},
       {"lineStyle", {{"color", "@muted"}, {"type", "dashed"}, {"width", 1}}},
       {"label",
        {{"show", true},
         {"position", "insideStartTop"},
         {"color", "@muted"},
         {"formatter", "at most " + format_duration(static_cast<Nanoseconds>(limit * 1e6))}}}});
}

struct Drawn {
  Json series;
  Extent extent;
};

Drawn quantile_line(const std::vector<RateCurve>& curves, const RateCurve& curve, const Quantile& quantile) {
  Json points = Json::array();
  Extent extent;
  for (const CurvePoint& point : curve.points) {
    const auto value = quantile_of(point, stream_of(curve), quantile.q);
    points.push_back({rounded(point.offered_per_s), value ? rounded(milliseconds(*value)) : Json()});
    if (value) extent.include(milliseconds(*value), milliseconds(*value));
  }
  Json series =
      curve_line(curve, with_name(curves, curve, quantile.name), quantile.stroke, std::move(points));
  series["tooltip"] = {{"valueFormatter", "@duration"}};
  return {std::move(series), extent};
}

std::vector<std::string> legend_names(const std::vector<RateCurve>& curves, const Quantile& tail) {
  std::vector<std::string> names;
  for (const RateCurve& curve : curves)
    for (const Quantile& quantile : {tail, kHalf}) names.push_back(with_name(curves, curve, quantile.name));
  for (const Mark& mark : kMarks) {
    const bool met = std::any_of(curves.begin(), curves.end(), [&](const RateCurve& curve) {
      return std::any_of(curve.points.begin(), curve.points.end(), [&](const CurvePoint& point) {
        return std::find(point.outcomes.begin(), point.outcomes.end(), mark.outcome) != point.outcomes.end();
      });
    });
    if (met && *mark.name != 0) names.emplace_back(mark.name);
  }
  return names;
}

void draw_latencies(const ChartSource& source, const std::vector<RateCurve>& curves, const Quantile& tail,
                    Panels& panels) {
  std::vector<Json> lines;
  Extent extent;
  const std::optional<double> limit =
      limit_of(source, fmt::format("{}.{}", stream_of(curves.front()), tail.name));
  for (const RateCurve& curve : curves) {
    for (const Quantile& quantile : {tail, kHalf}) {
      Drawn drawn = quantile_line(curves, curve, quantile);
      if (drawn.extent.highest > 0) extent.include(drawn.extent.lowest, drawn.extent.highest);
      const bool first = lines.empty();
      if (quantile.q == tail.q) {
        if (curve.sustained_per_s) drawn.series["markLine"] = sustained_line(curve);
        if (curves.size() == 1 && curve.lowest_failed_per_s)
          drawn.series["markArea"] = beyond_area(curve, ends_of(curves).second);
      }
      if (first && limit) add_limit(drawn.series, *limit);
      lines.push_back(std::move(drawn.series));
    }
  }
  if (limit) extent.include(*limit, *limit);
  const std::string name =
      stream_of(curves.front()) == "confirm" ? "from due to confirmed" : "from due to received";
  panels.begin("How long messages took", "@ink", kLatencyHeight, rate_axis(curves, ""),
               duration_axis(extent, name));
  for (Json& line : lines) panels.add(std::move(line));
  for (const RateCurve& curve : curves) {
    const std::string pointer = fmt::format("/latency/{}/{}", stream_of(curve), tail.pointer);
    add_trials(
        curve, with_name(curves, curve, tail.name),
        [&](const Json& run) {
          const auto value = find_number(run, pointer);
          return value ? std::optional(milliseconds(*value)) : std::nullopt;
        },
        panels);
  }
}

void draw_rates(const std::vector<RateCurve>& curves, const Quantile& tail, Panels& panels) {
  const auto [low, high] = ends_of(curves);
  const bool wide = high > kWide * low;
  const bool delivered = stream_of(curves.front()) != "confirm";
  const char* pointer = delivered ? "/rates/delivered_per_s" : "/rates/confirmed_per_s";
  const char* name = delivered ? "delivered" : "confirmed";
  panels.begin(delivered ? "What was delivered of it" : "What was confirmed of it", "@ink", kRatesHeight,
               rate_axis(curves, "offered messages per second"),
               wide ? log_axis(name, "@rate") : value_axis(name, "@rate"));
  Json all = line(
      "all of it", "@soft",
      Json::array({Json::array({rounded(low), rounded(low)}), Json::array({rounded(high), rounded(high)})}));
  all["symbol"] = "none";
  all["lineStyle"]["width"] = 4;
  all["tooltip"] = {{"valueFormatter", "@rate"}};
  panels.add(std::move(all));
  for (const RateCurve& curve : curves) {
    Json points = Json::array();
    for (const CurvePoint& point : curve.points) {
      const auto rates = spread(point.runs, pointer);
      points.push_back({rounded(point.offered_per_s), rates ? rounded(rates->median) : Json()});
    }
    Json series = curve_line(curve, with_name(curves, curve, tail.name), "solid", std::move(points));
    series["tooltip"] = {{"valueFormatter", "@rate"}};
    panels.add(std::move(series));
    add_trials(
        curve, with_name(curves, curve, tail.name),
        [&](const Json& run) { return find_number(run, pointer); }, panels);
  }
}

}  // namespace

bool has_knee(const ChartSource& source) {
  const std::vector<RateCurve> curves = rate_curves(source.results());
  return std::any_of(curves.begin(), curves.end(), [](const RateCurve& curve) {
    return std::any_of(curve.points.begin(), curve.points.end(), [&](const CurvePoint& point) {
      return quantile_of(point, stream_of(curve), kHalf.q).has_value();
    });
  });
}

ChartDrawing draw_knee(const ChartSource& source) {
  const std::vector<RateCurve> curves = rate_curves(source.results());
  const Quantile tail = tail_of(curves);
  Panels panels(Panels::Margins::kShared);
  panels.legend(legend_names(curves, tail), LegendSign::kBox);
  draw_latencies(source, curves, tail, panels);
  draw_rates(curves, tail, panels);
  ChartDrawing drawing = panels.finish();
  // Lines without dots among the marks.
  for (Json& name : drawing.option["legend"]["data"]) {
    const std::string text = name;
    if (text.ends_with(kHalf.name)) name = {{"name", text}, {"itemStyle", {{"opacity", 0}}}};
  }
  return drawing;
}

}  // namespace brokerlab::chart
