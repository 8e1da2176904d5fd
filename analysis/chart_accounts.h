#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

// ledger, network and comparison: what became of every message, and what each variant cost and brought.
bool has_ledger(const ChartSource& source);
ChartDrawing draw_ledger(const ChartSource& source);
bool has_network(const ChartSource& source);
ChartDrawing draw_network(const ChartSource& source);
bool has_comparison(const ChartSource& source);
ChartDrawing draw_comparison(const ChartSource& source);

}  // namespace brokerlab::chart
