#pragma once

#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

class ChartSource;

// One chart, ready to be drawn: an ECharts option and the size it was laid out for. The option is plain JSON;
// colours and formatters that depend on the place of drawing stand in it as tokens ("@ink", "@duration";
// docs/plots.md), which chart_prepare.js replaces both in the report's page and in SvgRenderer.
struct ChartDrawing {
  Json option;
  int width = 960;
  int height = 460;
};

// Where a report shows a chart: once for all variants, or again in the section of each.
enum class ChartPlace { kOverview, kVariant };

// What a chart is and how to draw it. Pure functions of the source; stateless, any thread.
struct Chart {
  std::string_view name;   // as in `brokerlab plot --chart`
  std::string_view title;  // heads the plot and the section of the report
  std::string_view shows;  // one sentence: what a reader sees and how to read it
  ChartPlace place;
  bool (*applies)(const ChartSource&);
  ChartDrawing (*draw)(const ChartSource&);
};

// Every chart, in the order in which a report shows them.
const std::vector<Chart>& charts();

// The chart of that name. Throws Error (kUsage) with the nearest known name.
const Chart& chart_named(std::string_view name);

}  // namespace brokerlab
