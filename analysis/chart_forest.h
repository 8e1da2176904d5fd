#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

// forest: every figure of every variant against the first one, with its interval, the margin within which two
// are the same, and the verdict.
bool has_forest(const ChartSource& source);
ChartDrawing draw_forest(const ChartSource& source);

}  // namespace brokerlab::chart
