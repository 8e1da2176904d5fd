#include "analysis/chart_panels.h"

#include <algorithm>
#include <utility>

namespace brokerlab::chart {
namespace {

constexpr int kHeadingHeight = 26;
constexpr int kAxisNameHeight = 26;  // above a vertical axis that has a name
constexpr int kLabelsHeight = 22;    // of a horizontal axis
constexpr int kNameHeight = 24;      // below the labels, when the horizontal axis has a name
constexpr int kGap = 14;

bool has_name(const Json& axis) { return axis.contains("name") && axis["name"] != ""; }

bool has_labels(const Json& axis) { return axis["axisLabel"].value("show", true); }

bool measured(const Measure& measure) {
  return std::any_of(measure.values.begin(), measure.values.end(),
                     [](const auto& value) { return !value.second.is_null(); });
}

Json bar(const Measure& measure) {
  Json data = Json::array();
  for (const auto& [variant, value] : measure.values) {
    Json item = {{"value", value}, {"itemStyle", {{"color", colour_of(*variant)}}}};
    // Where nothing was measured there is a word instead of a bar.
    if (value.is_null())
      item = {{"value", 0}, {"label", {{"formatter", "not measured"}, {"color", "@muted"}}}};
    data.push_back(std::move(item));
  }
  return {
      {"type", "bar"},
      {"name", measure.heading},
      {"barMaxWidth", 16},
      {"itemStyle", {{"borderRadius", 2}}},
      {"emphasis", {{"disabled", true}}},
      {"label", {{"show", true}, {"position", "right"}, {"color", "@ink"}, {"formatter", measure.formatter}}},
      {"data", std::move(data)}};
}

}  // namespace

void Panels::legend(const std::vector<std::string>& names, LegendSign sign) {
  bottom_ = add_legend(drawing_.option, names, sign);
}

void Panels::begin(std::string_view heading, const std::string& heading_colour, int height, Json x_axis,
                   Json y_axis) {
  if (!grids_.empty()) bottom_ += kGap;
  if (!heading.empty()) {
    titles_.push_back({{"text", heading},
                       {"left", 0},
                       {"top", bottom_},
                       {"padding", {4, 0, 0, 5}},
                       {"textStyle",
                        {{"fontSize", 13},
                         {"fontWeight", 600},
                         {"color", heading_colour},
                         {"width", kWidth},
                         {"overflow", "truncate"}}}});
    bottom_ += kHeadingHeight;
  }
  if (has_name(y_axis)) bottom_ += kAxisNameHeight;
  const auto index = static_cast<int>(grids_.size());
  const int labels = has_labels(x_axis) ? kLabelsHeight : 0;
  if (margins_ == Margins::kShared) {
    grids_.push_back(grid_beside_labels({bottom_, height}));
    height += labels;
  } else {
    height += labels;
    grids_.push_back(grid({bottom_, height}));
  }
  bottom_ += height + (has_name(x_axis) ? kNameHeight : 0);
  x_axis["gridIndex"] = index;
  y_axis["gridIndex"] = index;
  x_axes_.push_back(std::move(x_axis));
  y_axes_.push_back(std::move(y_axis));
}

void Panels::add(Json series) {
  const auto index = static_cast<int>(grids_.size()) - 1;
  series["xAxisIndex"] = index;
  series["yAxisIndex"] = index;
  series_.push_back(std::move(series));
}

ChartDrawing Panels::finish() {
  drawing_.option["title"] = std::move(titles_);
  drawing_.option["grid"] = std::move(grids_);
  drawing_.option["xAxis"] = std::move(x_axes_);
  drawing_.option["yAxis"] = std::move(y_axes_);
  drawing_.option["series"] = std::move(series_);
  drawing_.height = bottom_ + 8;
  return std::move(drawing_);
}

ChartDrawing draw_measures(const std::vector<Measure>& measures) {
  Panels panels;
  for (const Measure& measure : measures) {
    if (!measured(measure)) continue;
    std::vector<std::string> names;
    for (const auto& [variant, value] : measure.values) names.push_back(variant->name);
    Json variants = category_axis(names);
    variants["inverse"] = true;
    Json scale = value_axis("", "");
    scale["min"] = 0;
    // The values stand at the bars; an index has a scale of its own, from 0 to 1.
    scale["axisLabel"]["show"] = false;
    scale["splitLine"]["show"] = false;
    if (measure.formatter == "@index") scale["max"] = 1;
    const int height = row_height(names) * static_cast<int>(std::max<std::size_t>(names.size(), 1));
    panels.begin(measure.heading, "@ink", height, std::move(scale), std::move(variants));
    panels.add(bar(measure));
  }
  ChartDrawing drawing = panels.finish();
  drawing.option["tooltip"]["show"] = false;  // the values stand at the bars
  for (Json& each : drawing.option["grid"]) each["right"] = 84;
  return drawing;
}

}  // namespace brokerlab::chart
