#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// Writes one chart of one or many results to a file: .svg, or .png at twice the size (librsvg and cairo).
// Variants of several results stand side by side. Throws Error: kUsage for an unknown chart (with the nearest
// name) or another extension; kFailed when the chart has nothing to show in these results or the file cannot
// be written.
void write_plot(const std::vector<Json>& results, std::string_view chart,
                const std::filesystem::path& output);

// The SVG document as PNG bytes, `scale` device pixels per SVG unit.
std::string png_from_svg(std::string_view svg, double scale);

}  // namespace brokerlab
