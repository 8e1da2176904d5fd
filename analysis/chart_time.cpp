#include "analysis/chart_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "analysis/chart_panels.h"
#include "analysis/chart_style.h"

namespace brokerlab::chart {
namespace {

constexpr int kPanelHeight = 190;

// A rate of a run, how it is called, and its stroke. The strokes grow thinner, so that lines which lie upon
// each other (the good case) can all be seen.
struct Rate {
  const char* key;
  const char* name;
  double width;
  const char* stroke;
  const char* colour;  // empty: the variant's
};
constexpr std::size_t kRateCount = 5;
constexpr std::array<Rate, kRateCount> kRates = {
    {{"offered_per_s", "offered", 6, "solid", "@soft"},
     {"published_per_s", "published", 3.5, "dotted", ""},
     {"confirmed_per_s", "confirmed", 2.5, "dashed", ""},
     {"delivered_per_s", "delivered", 1.5, "solid", ""},
     {"redelivered_per_s", "redelivered", 1.5, "solid", "@ink"}}};

struct Quantile {
  const char* key;
  const char* name;
  double width;
  const char* stroke;
};
constexpr std::array<Quantile, 3> kQuantiles = {{{"end_to_end_p50_ns", "p50", 1.5, "dashed"},
                                                 {"end_to_end_p99_ns", "p99", 2, "solid"},
                                                 {"end_to_end_max_ns", "slowest", 1, "dotted"}}};

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

// The mean over the repetitions, interval by interval. Repetitions with another interval are left out.
Json mean_points(const ChartVariant& variant, std::string_view key) {
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

bool has_points(const ChartVariant& variant, std::string_view key) {
  return std::any_of(variant.runs.begin(), variant.runs.end(), [&](const Json* run) {
    const Json* points = points_of(*run, key);
    return points != nullptr && !all_null(*points) && interval_ms(*run) > 0;
  });
}

template <typename Keys>
bool has_any(const ChartVariant& variant, const Keys& keys) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const auto& each) { return has_points(variant, each.key); });
}

void add_rates(Panels& panels, const ChartVariant& variant, std::span<const Rate> rates) {
  for (const Rate& rate : rates) {
    Json points = mean_points(variant, rate.key);
    const bool nothing_again =
        std::string_view(rate.key) == "redelivered_per_s" &&
        std::all_of(points.begin(), points.end(), [](const Json& p) { return p[1].is_null() || p[1] == 0; });
    if (points.empty() || nothing_again) continue;
    Json drawn = line(rate.name, *rate.colour == '\0' ? colour_of(variant) : rate.colour, std::move(points));
    drawn["lineStyle"]["width"] = rate.width;
    drawn["lineStyle"]["type"] = rate.stroke;
    drawn["tooltip"] = {{"valueFormatter", "@rate"}};
    panels.add(std::move(drawn));
  }
}

std::vector<std::string> rate_names(const ChartSource& source, std::span<const Rate> rates) {
  std::vector<std::string> names;
  for (const Rate& rate : rates) {
    bool shown = false;
    for (const ChartVariant& variant : source.variants()) {
      for (const Json* run : variant.runs) {
        const Json* points = points_of(*run, rate.key);
        shown =
            shown ||
            (points != nullptr &&
             (std::string_view(rate.key) == "redelivered_per_s" ? !all_zero(*points) : !all_null(*points)));
      }
    }
    if (shown) names.emplace_back(rate.name);
  }
  return names;
}

struct Track {
  const Quantile* quantile;
  Json points;
};

// One line per quantile and repetition: percentiles of several runs have no mean.
std::vector<Track> tracks_of(const ChartVariant& variant, Extent& extent) {
  std::vector<Track> tracks;
  for (const Quantile& quantile : kQuantiles) {
    for (const Json* run : variant.runs) {
      const Json* points = points_of(*run, quantile.key);
      if (points == nullptr || all_null(*points) || interval_ms(*run) <= 0) continue;
      Json drawn = timed(*points, interval_ms(*run), 1e-6);
      for (const Json& point : drawn) {
        if (point[1].is_number()) extent.include(point[1], point[1]);
      }
      tracks.push_back({&quantile, std::move(drawn)});
    }
  }
  return tracks;
}

bool has_points(const ChartSource& source, std::string_view key) {
  return std::any_of(source.variants().begin(), source.variants().end(),
                     [&](const ChartVariant& variant) { return has_points(variant, key); });
}

}  // namespace

Json timed(const Json& values, double interval, double scale) {
  Json points = Json::array();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double at = (static_cast<double>(i) + 0.5) * interval;
    const Json value = values[i].is_number() ? rounded(values[i].get<double>() * scale) : Json();
    points.push_back({rounded(at), value});
  }
  return points;
}

Json time_axis(double end) {
  Json axis = horizontal(value_axis("time since the start", "@duration"));
  axis["min"] = 0;
  if (end > 0) axis["max"] = rounded(end);
  axis["axisLabel"]["showMaxLabel"] = false;
  axis["axisPointer"] = {{"label", {{"formatter", "@duration"}}}};
  return axis;
}

bool has_throughput(const ChartSource& source) {
  return std::any_of(kRates.begin(), kRates.end(),
                     [&](const Rate& rate) { return has_points(source, rate.key); });
}

bool has_latency_over_time(const ChartSource& source) {
  return std::any_of(kQuantiles.begin(), kQuantiles.end(),
                     [&](const Quantile& quantile) { return has_points(source, quantile.key); });
}

bool has_backlog(const ChartSource& source) { return has_points(source, "backlog"); }

bool has_recovery(const ChartSource& source) {
  return std::any_of(source.variants().begin(), source.variants().end(), [](const ChartVariant& variant) {
    return !fault_marks(variant).empty() && has_any(variant, kRates);
  });
}

ChartDrawing draw_recovery(const ChartSource& source) {
  const std::span<const Rate> rates = std::span(kRates).subspan(1);  // what was due is no news here
  Panels panels(Panels::Margins::kShared);
  std::vector<std::string> names = rate_names(source, rates);
  if (has_backlog(source)) names.emplace_back("backlog");
  panels.legend(names, LegendSign::kLine);
  for (const ChartVariant& variant : source.variants()) {
    if (fault_marks(variant).empty() || !has_any(variant, kRates)) continue;
    Json per_second = value_axis("messages per second", "@count");
    per_second["min"] = 0;
    panels.begin(heading_of(source, variant), colour_of(variant), kPanelHeight, time_axis(longest_ms(source)),
                 std::move(per_second));
    add_rates(panels, variant, rates);
    add_faults(panels, variant);
    Json points = mean_points(variant, "backlog");
    if (points.empty()) continue;
    Json waiting = value_axis("waiting or in work", "@count");
    waiting["min"] = 0;
    panels.begin("", "@ink", kPanelHeight / 2, time_axis(longest_ms(source)), std::move(waiting));
    Json drawn = line("backlog", colour_of(variant), std::move(points));
    drawn["areaStyle"] = {{"opacity", 0.15}};
    panels.add(std::move(drawn));
    add_faults(panels, variant);
  }
  ChartDrawing drawing = panels.finish();
  drawing.option["tooltip"]["valueFormatter"] = "@count";
  neutral_legend(drawing);
  return drawing;
}

ChartDrawing draw_throughput(const ChartSource& source) {
  Panels panels(Panels::Margins::kShared);
  panels.legend(rate_names(source, kRates), LegendSign::kLine);
  for (const ChartVariant& variant : source.variants()) {
    if (!has_any(variant, kRates)) continue;
    Json rates = value_axis("messages per second", "@count");
    rates["min"] = 0;
    panels.begin(heading_of(source, variant), colour_of(variant), kPanelHeight, time_axis(longest_ms(source)),
                 std::move(rates));
    add_rates(panels, variant, kRates);
    add_faults(panels, variant);
  }
  ChartDrawing drawing = panels.finish();
  neutral_legend(drawing);
  return drawing;
}

ChartDrawing draw_latency_over_time(const ChartSource& source) {
  Panels panels(Panels::Margins::kShared);
  std::vector<std::string> names;
  for (const Quantile& quantile : kQuantiles) {
    if (has_points(source, quantile.key)) names.emplace_back(quantile.name);
  }
  panels.legend(names, LegendSign::kLine);
  for (const ChartVariant& variant : source.variants()) {
    if (!has_any(variant, kQuantiles)) continue;
    Extent extent;
    std::vector<Track> tracks = tracks_of(variant, extent);
    panels.begin(heading_of(source, variant), colour_of(variant), kPanelHeight, time_axis(longest_ms(source)),
                 duration_axis(extent, "from due to received"));
    for (Track& track : tracks) {
      Json drawn = line(track.quantile->name, colour_of(variant), std::move(track.points));
      drawn["lineStyle"]["width"] = track.quantile->width;
      drawn["lineStyle"]["type"] = track.quantile->stroke;
      if (variant.runs.size() > 1) drawn["lineStyle"]["opacity"] = 0.6;
      panels.add(std::move(drawn));
    }
    add_faults(panels, variant);
  }
  ChartDrawing drawing = panels.finish();
  drawing.option["tooltip"]["valueFormatter"] = "@duration";
  neutral_legend(drawing);
  return drawing;
}

ChartDrawing draw_backlog(const ChartSource& source) {
  Panels panels(Panels::Margins::kShared);
  std::vector<std::string> names;
  for (const ChartVariant& variant : source.variants()) names.push_back(variant.name);
  panels.legend(names, LegendSign::kLine);
  Json waiting = value_axis("messages waiting or in work", "@count");
  waiting["min"] = 0;
  panels.begin("", "@ink", 260, time_axis(longest_ms(source)), std::move(waiting));
  for (const ChartVariant& variant : source.variants()) {
    Json points = mean_points(variant, "backlog");
    if (!points.empty()) panels.add(line_of(variant, std::move(points)));
  }
  if (source.variants().size() == 1) add_faults(panels, source.variants().front());
  ChartDrawing drawing = panels.finish();
  drawing.option["tooltip"]["valueFormatter"] = "@count";
  return drawing;
}

}  // namespace brokerlab::chart
