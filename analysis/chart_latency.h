#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

// latency and done-latency: percentile plots. ecdf: the share of messages received by a given age.
bool has_latency(const ChartSource& source);
ChartDrawing draw_latency(const ChartSource& source);
bool has_done_latency(const ChartSource& source);
ChartDrawing draw_done_latency(const ChartSource& source);
ChartDrawing draw_ecdf(const ChartSource& source);
// theory: the waits that were measured, those of a replay, and what a textbook law says of some percentiles.
bool has_theory(const ChartSource& source);
ChartDrawing draw_theory(const ChartSource& source);

}  // namespace brokerlab::chart
