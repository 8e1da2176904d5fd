#include "analysis/chart_source.h"
#include "analysis/charts.h"
#include "analysis/report.h"
#include "analysis/result.h"
#include "core/error.h"
#include "tests/fuzz/targets.h"

namespace brokerlab::fuzz {
namespace {

// More than a page draws charts of beforehand: drawing takes a second, and reads what ECharts is given, no
// result.
constexpr std::size_t kManyVariants = 7;

void draw_all(const std::vector<Json>& results) {
  const ChartSource source(results);
  for (const Chart& chart : charts()) {
    if (chart.applies(source)) static_cast<void>(chart.draw(source).option.dump());
  }
}

}  // namespace

void result(Input input) {
  try {
    const Json read = read_result(scratch_file("result.json", input));
    static_cast<void>(report_summary({read}).dump());
    const std::string text = report_markdown({read});
    require(text.find('\x1b') == std::string::npos, "no name reaches a terminal as a command");
    draw_all({read});
    // A page takes a second under the sanitizers, so only those that ask for it by a blank at the front.
    if (!input.empty() && input.front() == std::byte{'\n'}) {
      static_cast<void>(report_html(std::vector<Json>(kManyVariants, read)));
    }
  } catch (const Error& error) {
    require(!error.summary().empty(), "an error says what is wrong");
  }
}

}  // namespace brokerlab::fuzz
