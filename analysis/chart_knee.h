#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

// Latency, and what was delivered, against the offered rate: of a search, or of variants that differ in
// nothing but their rates.
bool has_knee(const ChartSource& source);
ChartDrawing draw_knee(const ChartSource& source);

}  // namespace brokerlab::chart
