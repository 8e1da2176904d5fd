#include "live/page.h"

#include "analysis/chart_embedded.h"

#define BROKERLAB_EMBEDDED(symbol)                     \
  extern "C" const char brokerlab_embedded_##symbol[]; \
  extern "C" const char brokerlab_embedded_##symbol##_end[];

BROKERLAB_EMBEDDED(live_html)
BROKERLAB_EMBEDDED(live_css)
BROKERLAB_EMBEDDED(live_js)

namespace brokerlab::live {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::vector<PageFile> page_files() {
  constexpr const char* kCss = "text/css; charset=utf-8";
  constexpr const char* kScript = "text/javascript; charset=utf-8";
  return {{"/", "text/html; charset=utf-8",
           between(brokerlab_embedded_live_html, brokerlab_embedded_live_html_end)},
          {"/live.css", kCss, between(brokerlab_embedded_live_css, brokerlab_embedded_live_css_end)},
          {"/live.js", kScript, between(brokerlab_embedded_live_js, brokerlab_embedded_live_js_end)},
          {"/report.css", kCss, embedded::report_css()},
          {"/charts.js", kScript, embedded::chart_prepare_js()},
          {"/echarts.js", kScript, embedded::echarts_js()}};
}

}  // namespace brokerlab::live
