#include "analysis/chart_broker.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "analysis/chart_panels.h"
#include "analysis/chart_style.h"
#include "analysis/chart_timeline.h"

namespace brokerlab::chart {
namespace {

struct Line {
  const char* key;
  const char* name;
  double width;
  const char* stroke;
  const char* colour;  // empty: the variant's
};

// The panels from top to bottom. One without a line that has anything to show is left out.
struct PanelOf {
  const char* axis;
  const char* formatter;
  int height;
  bool only_above_zero;  // lines that are 0 all the time say nothing
  std::array<Line, 3> lines;
};
constexpr std::array<PanelOf, 4> kPanels = {
    {{"messages",
      "@count",
      kPanelHeight,
      false,
      {{{"backlog", "backlog, by our count", 6, "solid", "@soft"},
        {"broker/ready", "ready", 2, "solid", ""},
        {"broker/unacked", "delivered, not acknowledged", 2, "dashed", ""}}}},
     {"cores",
      "@count",
      kPanelHeight * 2 / 3,
      false,
      {{{"broker/cpu_cores", "CPU of the broker", 2, "solid", ""}}}},
     {"memory",
      "@bytes",
      kPanelHeight * 2 / 3,
      false,
      {{{"broker/resident_bytes", "resident memory", 2, "solid", ""},
        {"broker/memory_bytes", "memory, by the broker's count", 2, "dotted", ""}}}},
     {"held back",
      "@count",
      kPanelHeight / 2,
      true,
      {{{"broker/connections_in_flow", "connections in flow", 2, "solid", ""},
        {"broker/channels_in_flow", "channels in flow", 1.5, "dashed", ""},
        {"broker/connections_blocked", "connections blocked", 2, "dotted", "@ink"}}}}}};

bool shown(const PanelOf& panel, const Json& points) {
  return std::any_of(points.begin(), points.end(), [&](const Json& point) {
    return point[1].is_number() && (!panel.only_above_zero || point[1] != 0);
  });
}

// Ticks at round numbers of MiB: those that are round in bytes are not.
void choose_ticks(Json& axis, const std::vector<Json>& drawn) {
  double most = 0;
  for (const Json& series : drawn) {
    for (const Json& point : series.at("data"))
      if (point[1].is_number()) most = std::max(most, point[1].get<double>());
  }
  double step = 1 << 20;
  while (most / step > 5) step *= 2;
  axis["interval"] = step;
  axis["max"] = std::ceil(most / step) * step;
}

bool from_broker(const Line& line) { return std::string_view(line.key).substr(0, 7) == "broker/"; }

void add_panel(Panels& panels, const PanelOf& panel, const ChartVariant& variant, double end,
               const std::string& heading) {
  std::vector<Json> drawn;
  for (const Line& each : panel.lines) {
    if (each.key == nullptr) continue;
    Json points = mean_points(variant, each.key);
    if (!shown(panel, points)) continue;
    Json series = line(each.name, *each.colour == '\0' ? colour_of(variant) : each.colour, std::move(points));
    series["lineStyle"]["width"] = each.width;
    series["lineStyle"]["type"] = each.stroke;
    series["tooltip"] = {{"valueFormatter", panel.formatter}};
    drawn.push_back(std::move(series));
  }
  Json axis = value_axis(panel.axis, panel.formatter);
  axis["min"] = 0;
  if (panel.only_above_zero) axis["minInterval"] = 1;
  if (std::string_view(panel.formatter) == "@bytes") choose_ticks(axis, drawn);
  panels.begin(heading, colour_of(variant), panel.height, time_axis(end), std::move(axis));
  for (Json& series : drawn) panels.add(std::move(series));
  add_faults(panels, variant);
}

bool has_any(const ChartVariant& variant, const PanelOf& panel) {
  return std::any_of(panel.lines.begin(), panel.lines.end(), [&](const Line& each) {
    return each.key != nullptr && from_broker(each) && shown(panel, mean_points(variant, each.key));
  });
}

}  // namespace

bool has_broker(const ChartSource& source) {
  return std::any_of(source.variants().begin(), source.variants().end(), [](const ChartVariant& variant) {
    return std::any_of(kPanels.begin(), kPanels.end(),
                       [&](const PanelOf& panel) { return has_any(variant, panel); });
  });
}

ChartDrawing draw_broker(const ChartSource& source) {
  // The legend comes first, and shows only what is drawn.
  std::vector<std::string> names;
  for (const PanelOf& panel : kPanels) {
    for (const Line& each : panel.lines) {
      const bool drawn =
          each.key != nullptr &&
          std::any_of(source.variants().begin(), source.variants().end(), [&](const auto& variant) {
            return has_any(variant, panel) && shown(panel, mean_points(variant, each.key));
          });
      if (drawn) names.emplace_back(each.name);
    }
  }
  Panels panels(Panels::Margins::kShared);
  panels.legend(names, LegendSign::kLine);
  const double end = longest_ms(source);
  for (const ChartVariant& variant : source.variants()) {
    std::string heading = heading_of(source, variant);
    for (const PanelOf& panel : kPanels) {
      if (has_any(variant, panel)) add_panel(panels, panel, variant, end, std::exchange(heading, ""));
    }
  }
  ChartDrawing drawing = panels.finish();
  neutral_legend(drawing);
  for (Json& entry : drawing.option["legend"]["data"])
    if (entry["name"] == kPanels.front().lines.front().name) entry["lineStyle"]["color"] = "@soft";
  return drawing;
}

}  // namespace brokerlab::chart
