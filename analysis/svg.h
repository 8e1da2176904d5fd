#pragma once

#include <memory>
#include <string>

#include "analysis/charts.h"

namespace brokerlab {

enum class Palette { kLight, kDark };

// Draws a chart as an SVG document by ECharts' server-side renderer in Duktape: no Node, no browser, no
// files. One heap per renderer, loaded with the embedded echarts.min.js on construction (about 0.7 s); one
// thread. The same drawing gives the same bytes.
class SvgRenderer {
 public:
  SvgRenderer();
  ~SvgRenderer();
  SvgRenderer(const SvgRenderer&) = delete;
  SvgRenderer& operator=(const SvgRenderer&) = delete;

  // Throws Error when the option is refused by ECharts (a fault of ours, never of a result).
  std::string render(const ChartDrawing& drawing, Palette palette = Palette::kLight);

 private:
  struct Heap;
  std::unique_ptr<Heap> heap_;
};

}  // namespace brokerlab
