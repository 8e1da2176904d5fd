#pragma once

#include <span>
#include <string>
#include <vector>

#include "analysis/chart_source.h"
#include "analysis/charts.h"
#include "analysis/report_model.h"
#include "analysis/svg.h"
#include "core/json.h"

namespace brokerlab::report {

// The charts of a page: places in the text, options for the script, and still pictures for readers and
// printers that run no script. One page, one object.
class PageCharts {
 public:
  // `stills`: draw still pictures, too (some 30 ms and 30 KB each).
  explicit PageCharts(bool stills);

  // The figures of every chart of that place which applies and which `wanted` names (all when empty).
  std::string figures(const ChartSource& source, ChartPlace place, const std::vector<std::string>& wanted);

  // [{id, height, option}], for the script.
  const Json& options() const { return options_; }

 private:
  std::string figure(const Chart& chart, const ChartSource& source);

  std::unique_ptr<SvgRenderer> renderer_;
  Json options_ = Json::array();
};

std::string table_html(const Table& table);
// What to think of a measurement that is not valid, for the table of contents; "" for one that is.
std::string doubtful_badge(const Section& section);

// Where a section stands on its page.
struct SectionPlace {
  std::size_t index;
  std::size_t sections;
};
std::string section_html(const Section& section, SectionPlace place, const ChartSource& source,
                         PageCharts& charts);

}  // namespace brokerlab::report
