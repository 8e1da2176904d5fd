#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/chart_source.h"
#include "analysis/charts.h"
#include "core/json.h"

namespace brokerlab::chart {

// The looks that all charts share. Every vertical position is a number of pixels from the top, so that
// titled() can move a drawing down.

inline constexpr int kWidth = 960;

// Where a chart or one of its panels lies: the plotting area and the labels of its horizontal axis.
struct Area {
  int top;
  int height;
};

// An option with font, colours and tooltip; no axes and no series yet.
Json base_option();

// "@series3": the token of a variant's colour.
std::string colour_of(const ChartVariant& variant);

// Adds a legend for the series of these names, as many rows as they need at full width. Returns its height.
enum class LegendSign { kLine, kBox };
int add_legend(Json& option, const std::vector<std::string>& names, LegendSign sign);

// Axes. `name` carries the unit in words; `formatter` is a token, "" for none.
Json value_axis(std::string_view name, std::string_view formatter);
Json log_axis(std::string_view name, std::string_view formatter);
Json category_axis(const std::vector<std::string>& names);
// How high a row of such an axis must be: long names take two lines.
int row_height(const std::vector<std::string>& names);
// Turns an axis into the horizontal one: its name stands under it.
Json horizontal(Json axis);
Json grid(const Area& area);
// Likewise, where the labels of a vertical axis of numbers have a fixed room of their own, and those of the
// horizontal one lie below `area`.
Json grid_beside_labels(const Area& area);

// A line of [x, y] points; null as y makes a gap. `colour` is a token.
Json line(std::string_view name, const std::string& colour, Json points);
// The line of a variant. Beyond the eight colours of the palette they come again, with another stroke.
Json line_of(const ChartVariant& variant, Json points);

// The range of some durations in milliseconds.
struct Extent {
  double lowest = 0;
  double highest = 0;
  void include(double low, double high);
};
// Logarithmic where the range needs it, else linear: within a decade a logarithmic axis has hardly a tick.
Json duration_axis(const Extent& extent, const std::string& name);

// A value rounded to five significant digits: shorter files, the same picture. JSON null for nothing.
Json rounded(std::optional<double> value);

inline double milliseconds(double nanoseconds) { return nanoseconds / 1e6; }

// Puts title and subtitle above the drawing (for plots; a report has its own headings).
ChartDrawing titled(ChartDrawing drawing, std::string_view title, std::string_view subtitle);

}  // namespace brokerlab::chart
