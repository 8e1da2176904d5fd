#pragma once

#include <string>
#include <string_view>

#include "analysis/chart_panels.h"
#include "analysis/chart_source.h"
#include "analysis/charts.h"
#include "core/json.h"

namespace brokerlab::chart {

// What the charts over time share: one axis for all panels, as long as the longest run, the faults marked on
// it, and the series of runs as points.

inline constexpr int kPanelHeight = 190;

// The values of a series of one run ("backlog", "broker/ready"); null where it has none.
const Json* points_of(const Json& run, std::string_view key);
// Of all series but those of the broker.
double interval_ms(const Json& run);
bool all_null(const Json& points);
bool all_zero(const Json& points);
// [time in ms, value * scale] of the values of a series, each in the middle of its interval (in ms).
Json timed(const Json& values, double interval, double scale);
// The mean over the repetitions, interval by interval. Repetitions with another interval are left out.
Json mean_points(const ChartVariant& variant, std::string_view key);

double longest_ms(const ChartSource& source);
// From the start until so many ms later; 0: as long as there are points.
Json time_axis(double end);
// The variant's name where there are several; else "".
std::string heading_of(const ChartSource& source, const ChartVariant& variant);

// Whether the first repetition had any.
bool has_faults(const ChartVariant& variant);
// Shades and marks them in the panel that was begun last.
void add_faults(Panels& panels, const ChartVariant& variant);
// Legend signs in neutral ink: the stroke tells the quantity, the colour tells the variant.
void neutral_legend(ChartDrawing& drawing);

}  // namespace brokerlab::chart
