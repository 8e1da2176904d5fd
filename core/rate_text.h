#pragma once

#include <string>

namespace brokerlab {

// Three significant digits, written out: "12.3/s", "-1,300/s".
std::string format_whole_rate(double per_second);

}  // namespace brokerlab
