#include "analysis/chart_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "analysis/chart_panels.h"
#include "analysis/chart_style.h"
#include "analysis/chart_timeline.h"

namespace brokerlab::chart {
namespace {

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
    return has_faults(variant) && has_any(variant, kRates);
  });
}

ChartDrawing draw_recovery(const ChartSource& source) {
  const std::span<const Rate> rates = std::span(kRates).subspan(1);  // what was due is no news here
  Panels panels(Panels::Margins::kShared);
  std::vector<std::string> names = rate_names(source, rates);
  if (has_backlog(source)) names.emplace_back("backlog");
  panels.legend(names, LegendSign::kLine);
  for (const ChartVariant& variant : source.variants()) {
    if (!has_faults(variant) || !has_any(variant, kRates)) continue;
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
