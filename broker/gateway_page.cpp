#include "broker/gateway_page.h"

#include <string_view>

namespace brokerlab {
namespace embedded {

// Written by broker/embed_page.cmake.
extern const std::string_view kGatewayHtml, kGatewayCss, kGatewayJs;

}  // namespace embedded

std::vector<PageFile> gateway_page(bool with_token) {
  std::string html(embedded::kGatewayHtml);
  if (with_token) {
    constexpr std::string_view kHidden = "<p id=\"token-line\" hidden>";
    html.replace(html.find(kHidden), kHidden.size(), "<p id=\"token-line\">");
  }
  return {{"/", "text/html; charset=utf-8", html},
          {"/gateway.css", "text/css; charset=utf-8", std::string(embedded::kGatewayCss)},
          {"/gateway.js", "text/javascript; charset=utf-8", std::string(embedded::kGatewayJs)}};
}

}  // namespace brokerlab
