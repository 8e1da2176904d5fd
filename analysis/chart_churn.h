#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

// What was opened and closed at a rate: how much of it when, and how long the broker took.
bool has_churn(const ChartSource& source);
ChartDrawing draw_churn(const ChartSource& source);

}  // namespace brokerlab::chart
