#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

// broker: what the broker told of itself over time, beside what we know of the messages.
bool has_broker(const ChartSource& source);
ChartDrawing draw_broker(const ChartSource& source);

}  // namespace brokerlab::chart
