#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/chart_style.h"

namespace brokerlab::chart {

// A drawing of several panels below each other, each with axes of its own under a heading: small multiples,
// which stay readable on a phone where a second column would not.
class Panels {
 public:
  // kEach: a panel is as wide as the labels of its vertical axis leave it. kShared: all begin and end at the
  // same place, so that what happened at the same time stands below each other.
  enum class Margins { kEach, kShared };
  explicit Panels(Margins margins = Margins::kEach) : margins_(margins) {}

  // Heads the whole drawing; call it first.
  void legend(const std::vector<std::string>& names, LegendSign sign);

  // Begins a panel whose plotting area is `height` high. `heading` may be empty. Axes come from
  // chart_style.h.
  void begin(std::string_view heading, const std::string& heading_colour, int height, Json x_axis,
             Json y_axis);
  // Adds a series to the panel that was begun last.
  void add(Json series);

  ChartDrawing finish();

 private:
  const Margins margins_;
  ChartDrawing drawing_{base_option()};
  Json grids_ = Json::array(), x_axes_ = Json::array(), y_axes_ = Json::array();
  Json series_ = Json::array(), titles_ = Json::array();
  int bottom_ = 0;
};

// One figure of several variants, drawn as a panel of horizontal bars with the value at the end of each.
struct Measure {
  std::string heading;                                       // what it is, with what it is counted in
  std::string formatter;                                     // token for the values
  std::vector<std::pair<const ChartVariant*, Json>> values;  // null: not measured
};

// Panels of bars, one per measure that any variant has.
ChartDrawing draw_measures(const std::vector<Measure>& measures);

}  // namespace brokerlab::chart
