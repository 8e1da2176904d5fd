#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

// messages-per-worker, busy-time-per-worker, fairness and gantt: who did what.
bool has_messages_per_worker(const ChartSource& source);
ChartDrawing draw_messages_per_worker(const ChartSource& source);
bool has_busy_time_per_worker(const ChartSource& source);
ChartDrawing draw_busy_time_per_worker(const ChartSource& source);
bool has_fairness(const ChartSource& source);
ChartDrawing draw_fairness(const ChartSource& source);
bool has_gantt(const ChartSource& source);
ChartDrawing draw_gantt(const ChartSource& source);

}  // namespace brokerlab::chart
