#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace brokerlab {

// The rows of a CSV text (RFC 4180: cells in double quotes may hold commas, line ends and doubled quotes),
// the cells of each joined by one space. Rows without any text are left out; a byte order mark and spaces
// around cells are dropped. Throws Error (kUsage) naming `source` and line for a quote that is never closed.
std::vector<std::string> read_csv_rows(std::string_view text, const std::string& source);

}  // namespace brokerlab
