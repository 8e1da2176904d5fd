#include "broker/gateway_page.h"

#include <string_view>

#include "core/embedded.h"

namespace brokerlab {
namespace {

BROKERLAB_EMBEDDED(gateway_html, gateway_html)
BROKERLAB_EMBEDDED(gateway_css, gateway_css)
BROKERLAB_EMBEDDED(gateway_js, gateway_js)

}  // namespace

std::vector<PageFile> gateway_page(bool with_token) {
  std::string html(gateway_html());
  if (with_token) {
    constexpr std::string_view kHidden = "<p id=\"token-line\" hidden>";
    html.replace(html.find(kHidden), kHidden.size(), "<p id=\"token-line\">");
  }
  return {{"/", "text/html; charset=utf-8", html},
          {"/gateway.css", "text/css; charset=utf-8", std::string(gateway_css())},
          {"/gateway.js", "text/javascript; charset=utf-8", std::string(gateway_js())}};
}

}  // namespace brokerlab
