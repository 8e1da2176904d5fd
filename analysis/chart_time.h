#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

// [time in ms, value * scale] of the values of a series, each in the middle of its interval (in ms).
Json timed(const Json& values, double interval, double scale);
// From the start until so many ms later; 0: as long as there are points.
Json time_axis(double end);

// throughput, latency-over-time, backlog and recovery: what happened when, with the declared faults shaded.
bool has_throughput(const ChartSource& source);
ChartDrawing draw_throughput(const ChartSource& source);
bool has_latency_over_time(const ChartSource& source);
ChartDrawing draw_latency_over_time(const ChartSource& source);
bool has_recovery(const ChartSource& source);
ChartDrawing draw_recovery(const ChartSource& source);
bool has_backlog(const ChartSource& source);
ChartDrawing draw_backlog(const ChartSource& source);

}  // namespace brokerlab::chart
