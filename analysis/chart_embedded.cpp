#include "analysis/chart_embedded.h"

#define BROKERLAB_EMBEDDED(symbol)                     \
  extern "C" const char brokerlab_embedded_##symbol[]; \
  extern "C" const char brokerlab_embedded_##symbol##_end[];

BROKERLAB_EMBEDDED(echarts_min_js)
BROKERLAB_EMBEDDED(chart_prepare_js)
BROKERLAB_EMBEDDED(chart_host_js)
BROKERLAB_EMBEDDED(report_css)
BROKERLAB_EMBEDDED(report_js)

namespace brokerlab::embedded {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view echarts_js() {
  return between(brokerlab_embedded_echarts_min_js, brokerlab_embedded_echarts_min_js_end);
}
std::string_view chart_prepare_js() {
  return between(brokerlab_embedded_chart_prepare_js, brokerlab_embedded_chart_prepare_js_end);
}
std::string_view chart_host_js() {
  return between(brokerlab_embedded_chart_host_js, brokerlab_embedded_chart_host_js_end);
}
std::string_view report_css() {
  return between(brokerlab_embedded_report_css, brokerlab_embedded_report_css_end);
}
std::string_view report_js() {
  return between(brokerlab_embedded_report_js, brokerlab_embedded_report_js_end);
}

}  // namespace brokerlab::embedded
