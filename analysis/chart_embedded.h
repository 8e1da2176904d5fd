#pragma once

#include <string_view>

namespace brokerlab::embedded {

// Files that the build put into the program (cmake/embed.cmake).
std::string_view echarts_js();        // Apache ECharts 5.6.0, echarts.min.js
std::string_view chart_prepare_js();  // tokens of our options -> colours and formatters; page and Duktape
std::string_view chart_host_js();     // what ECharts expects of its surroundings and Duktape lacks
std::string_view report_css();
std::string_view report_js();

}  // namespace brokerlab::embedded
