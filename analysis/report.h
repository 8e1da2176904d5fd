#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// Writes the report of one or many results; the extension of `output` says which:
//   .html  one file that opens offline, with interactive charts;
//   .md    the same tables as Markdown;
//   .json  a compact summary without histograms and series.
// Parts that a result does not have are left out or shown as "not measured", never as 0.
// Throws Error: kUsage for another extension, kFailed when the file cannot be written.
void write_report(const std::vector<Json>& results, const std::filesystem::path& output);

std::string report_html(const std::vector<Json>& results);
std::string report_markdown(const std::vector<Json>& results);
Json report_summary(const std::vector<Json>& results);

}  // namespace brokerlab
