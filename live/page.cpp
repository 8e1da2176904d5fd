#include "live/page.h"

#include "analysis/chart_embedded.h"
#include "core/embedded.h"

namespace brokerlab::live {
namespace {

BROKERLAB_EMBEDDED(live_html, live_html)
BROKERLAB_EMBEDDED(live_css, live_css)
BROKERLAB_EMBEDDED(live_js, live_js)

}  // namespace

std::vector<PageFile> page_files() {
  constexpr const char* kCss = "text/css; charset=utf-8";
  constexpr const char* kScript = "text/javascript; charset=utf-8";
  return {{"/", "text/html; charset=utf-8", live_html()},
          {"/live.css", kCss, live_css()},
          {"/live.js", kScript, live_js()},
          {"/report.css", kCss, embedded::report_css()},
          {"/charts.js", kScript, embedded::chart_prepare_js()},
          {"/echarts.js", kScript, embedded::echarts_js()}};
}

}  // namespace brokerlab::live
