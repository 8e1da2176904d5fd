#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

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
