#pragma once

#include "analysis/chart_source.h"
#include "analysis/charts.h"

namespace brokerlab::chart {

// sharding: distinct keys and messages per queue of a consistent hash, against equal shares.
bool has_sharding(const ChartSource& source);
ChartDrawing draw_sharding(const ChartSource& source);

}  // namespace brokerlab::chart
