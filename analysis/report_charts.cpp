#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "analysis/report_html.h"
#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

bool is_wanted(const Chart& chart, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), chart.name) != wanted.end();
}

}  // namespace

PageCharts::PageCharts(bool stills) : renderer_(stills ? std::make_unique<SvgRenderer>() : nullptr) {}

std::string PageCharts::figures(const ChartSource& source, ChartPlace place,
                                const std::vector<std::string>& wanted) {
  std::string html;
  for (const Chart& chart : charts()) {
    if (chart.place == place && is_wanted(chart, wanted) && chart.applies(source))
      html += figure(chart, source);
  }
  return html.empty() ? "" : "<div class=\"figures\">\n" + html + "</div>\n";
}

std::string PageCharts::figure(const Chart& chart, const ChartSource& source) {
  ChartDrawing drawing = chart.draw(source);
  const std::string id = fmt::format("chart-{}", options_.size());
  std::string still;
  if (renderer_ != nullptr) {
    // In an image of its own the drawing is inert: no script, no style and no name of it reaches the page.
    still = fmt::format(
        "<div class=\"still\"><img width=\"{}\" height=\"{}\" alt=\"{}\" "
        "src=\"data:image/svg+xml;base64,{}\"></div>",
        drawing.width, drawing.height, html_escaped(chart.title), base64(renderer_->render(drawing)));
  }
  options_.push_back({{"id", id},
                      {"width", drawing.width},
                      {"height", drawing.height},
                      {"option", std::move(drawing.option)}});
  return fmt::format(
      "<figure class=\"chart{}\" data-chart=\"{}\">\n<figcaption><h4>{}</h4><p>{}</p></figcaption>\n"
      "<div class=\"live\" id=\"{}\" role=\"img\" aria-label=\"{}\"></div>{}\n</figure>\n",
      still.empty() ? "" : " has-still", chart.name, html_escaped(chart.title), html_escaped(chart.shows), id,
      html_escaped(chart.title), still);
}

}  // namespace brokerlab::report
