#include "analysis/chart_style.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace brokerlab::chart {
namespace {

constexpr const char* kFont =
    "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif";
constexpr int kColours = 8;
constexpr std::size_t kMostLabels = 40;  // of a category axis; beyond it only some of them stand there
constexpr int kLegendRow = 28;
constexpr int kTitleHeight = 64;

// Displayed characters, for estimates of width.
int characters(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool any_long(const std::vector<std::string>& names) {
  constexpr int kOneLine = 22;  // characters
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return characters(name) > kOneLine; });
}

// Two lines' worth of a name: its beginning and its end.
std::string without_middle(const std::string& name) {
  constexpr int kTwoLines = 46, kBeginning = 20, kEnd = 24;
  const int length = characters(name);
  if (length <= kTwoLines) return name;
  std::string beginning, end;
  int index = -1;
  for (const char c : name) {
    if ((c & 0xc0) != 0x80) ++index;
    if (index < kBeginning) beginning += c;
    if (index >= length - kEnd) end += c;
  }
  return beginning + "…" + end;
}

void move_down(Json& component, int by) {
  if (component.is_array()) {
    for (Json& one : component) move_down(one, by);
  } else if (component.is_object() && component.contains("top")) {
    component["top"] = component["top"].get<int>() + by;
  }
}

// A point between two gaps is no line: it is seen only as a dot.
bool has_lonely_point(const Json& points) {
  const auto drawn = [&](std::size_t i) { return i < points.size() && points[i][1].is_number(); };
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (drawn(i) && !drawn(i + 1) && (i == 0 || !drawn(i - 1))) return true;
  }
  return false;
}

}  // namespace

Json base_option() {
  return {
      {"animation", false},
      {"backgroundColor", "@paper"},
      {"color",
       {"@series0", "@series1", "@series2", "@series3", "@series4", "@series5", "@series6", "@series7"}},
      {"textStyle", {{"fontFamily", kFont}, {"fontSize", 12}, {"color", "@ink"}}},
      // Text inside the drawing: an HTML box would need inline styles, which the report's policy forbids.
      {"tooltip",
       {{"trigger", "axis"},
        {"renderMode", "richText"},
        {"confine", true},
        {"backgroundColor", "@paper"},
        {"borderColor", "@soft"},
        {"borderWidth", 1},
        {"padding", 8},
        {"textStyle", {{"color", "@ink"}, {"fontSize", 12}}},
        {"axisPointer", {{"lineStyle", {{"color", "@muted"}}}, {"shadowStyle", {{"color", "@fault"}}}}}}}};
}

std::string colour_of(const ChartVariant& variant) {
  return fmt::format("@series{}", variant.colour % kColours);
}

int add_legend(Json& option, const std::vector<std::string>& names, LegendSign sign) {
  int rows = 1;
  int used = 0;
  for (const std::string& name : names) {
    const int width = 54 + std::min(8 * characters(name), 260);
    if (used > 0 && used + width > kWidth) {
      ++rows;
      used = 0;
    }
    used += width;
  }
  option["legend"] = {{"top", 0},
                      {"left", 0},
                      {"right", 0},
                      {"itemGap", 16},
                      {"itemWidth", 22},
                      {"itemHeight", 10},
                      {"data", names},
                      {"inactiveColor", "@soft"},
                      {"pageTextStyle", {{"color", "@muted"}}},
                      {"pageIconColor", "@ink"},
                      {"pageIconInactiveColor", "@soft"},
                      {"textStyle", {{"color", "@ink"}, {"width", 260}, {"overflow", "truncate"}}}};
  if (sign == LegendSign::kLine) option["legend"]["itemStyle"] = {{"opacity", 0}};
  option["legend"]["reservedRows"] =
      rows;  // for the report's page, where a narrow legend is one row to page through
  return rows * kLegendRow;
}

Json value_axis(std::string_view name, std::string_view formatter) {
  Json axis = {{"type", "value"},
               {"name", name},
               {"nameTextStyle", {{"color", "@muted"}, {"align", "left"}}},
               {"axisLine", {{"show", false}}},
               {"axisTick", {{"show", false}}},
               {"axisLabel", {{"color", "@muted"}, {"hideOverlap", true}}},
               {"splitLine", {{"lineStyle", {{"color", "@grid"}}}}}};
  if (!formatter.empty()) axis["axisLabel"]["formatter"] = formatter;
  return axis;
}

Json log_axis(std::string_view name, std::string_view formatter) {
  Json axis = value_axis(name, formatter);
  axis["type"] = "log";
  return axis;
}

Json category_axis(const std::vector<std::string>& names) {
  Json axis = {{"type", "category"},
               {"data", names},
               {"axisLine", {{"lineStyle", {{"color", "@soft"}}}}},
               {"axisTick", {{"show", false}}},
               {"axisLabel", {{"color", "@ink"}, {"width", 150}, {"overflow", "truncate"}}}};
  if (names.size() <= kMostLabels) axis["axisLabel"]["interval"] = 0;
  if (any_long(names)) {
    // What tells such names apart often stands at their end.
    Json& label = axis["axisLabel"];
    label["overflow"] = "breakAll";
    label["fontSize"] = 11;
    label["lineHeight"] = 12;
    for (Json& name : axis["data"]) name = without_middle(name.get<std::string>());
  }
  return axis;
}

int row_height(const std::vector<std::string>& names) { return any_long(names) ? 30 : 24; }

Json horizontal(Json axis) {
  axis["nameLocation"] = "middle";
  axis["nameGap"] = 30;
  axis["nameTextStyle"]["align"] = "center";
  axis["axisLine"] = {{"show", true}, {"lineStyle", {{"color", "@soft"}}}};
  return axis;
}

Json grid(const Area& area) {
  return {{"left", 8}, {"right", 36}, {"top", area.top}, {"height", area.height}, {"containLabel", true}};
}

Json grid_beside_labels(const Area& area) {
  constexpr int kLabelsWidth = 68;  // "1,000,000"
  return {{"left", kLabelsWidth}, {"right", 36}, {"top", area.top}, {"height", area.height}};
}

Json line(std::string_view name, const std::string& colour, Json points) {
  return {{"type", "line"},
          {"name", name},
          {"symbol", has_lonely_point(points) ? "circle" : "none"},
          {"symbolSize", 5},
          {"connectNulls", false},
          {"color", colour},
          {"lineStyle", {{"color", colour}, {"width", 2}}},
          {"itemStyle", {{"color", colour}}},
          {"emphasis", {{"disabled", true}}},
          {"data", std::move(points)}};
}

Json line_of(const ChartVariant& variant, Json points) {
  Json drawn = line(variant.name, colour_of(variant), std::move(points));
  const int round = variant.colour / kColours;
  if (round == 1) drawn["lineStyle"]["type"] = {10, 3, 2, 3};
  if (round > 1) drawn["lineStyle"]["type"] = {3, 3};
  return drawn;
}

void Extent::include(double low, double high) {
  lowest = lowest == 0 ? low : std::min(lowest, low);
  highest = std::max(highest, high);
}

Json duration_axis(const Extent& extent, const std::string& name) {
  constexpr double kWide = 8;
  return extent.lowest > 0 && extent.highest > kWide * extent.lowest
             ? log_axis(name + " (log scale)", "@duration")
             : value_axis(name, "@duration");
}

Json rounded(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  if (*value == 0) return 0;
  const double scale = std::pow(10, 4 - std::floor(std::log10(std::abs(*value))));
  const double figure = scale >= 1 ? std::round(*value * scale) / scale : std::round(*value);
  if (figure == std::floor(figure) && std::abs(figure) < 9e15) return static_cast<std::int64_t>(figure);
  return figure;
}

ChartDrawing titled(ChartDrawing drawing, std::string_view title, std::string_view subtitle) {
  for (const char* component : {"grid", "legend", "title"}) {
    if (drawing.option.contains(component)) move_down(drawing.option[component], kTitleHeight);
  }
  Json heading = {{"text", title},
                  {"subtext", subtitle},
                  {"left", 0},
                  {"top", 8},
                  {"itemGap", 6},
                  {"textStyle", {{"fontSize", 17}, {"fontWeight", 600}, {"color", "@ink"}}},
                  {"subtextStyle", {{"fontSize", 12}, {"color", "@muted"}}}};
  Json titles = Json::array({std::move(heading)});
  if (drawing.option.contains("title")) {
    for (Json& other : drawing.option["title"]) titles.push_back(std::move(other));
  }
  drawing.option["title"] = std::move(titles);
  drawing.height += kTitleHeight;
  return drawing;
}

}  // namespace brokerlab::chart
