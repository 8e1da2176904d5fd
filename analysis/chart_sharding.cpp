#include "analysis/chart_sharding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/chart_panels.h"
#include "analysis/chart_style.h"
#include "analysis/report_text.h"

namespace brokerlab::chart {
namespace {

// Of the first repetition that has it: keys of several runs are not the same keys.
const Json* sharding_of(const ChartVariant& variant) {
  for (const Json* run : variant.runs) {
    const Json* sharding = find_value(*run, "/sharding");
    if (sharding != nullptr && sharding->is_object()) return sharding;
  }
  return nullptr;
}

const Json& list_of(const Json& holder, std::string_view pointer) {
  static const Json kNone = Json::array();
  const Json* list = find_value(holder, pointer);
  return list != nullptr && list->is_array() ? *list : kNone;
}

// One bar per queue, and a line where all of them would end if everything were shared out evenly.
void add_panel(Panels& panels, const ChartVariant& variant, const std::string& heading, const Json& queues,
               const char* figure, bool against_even = true) {
  std::vector<std::string> names;
  Json values = Json::array();
  double sum = 0, most = 0;
  for (const Json& queue : queues) {
    const double value = find_number(queue, std::string("/") + figure).value_or(0);
    names.push_back(find_text(queue, "/queue", 60));
    values.push_back(rounded(value));
    sum += value;
    most = std::max(most, value);
  }
  const double expected = sum / static_cast<double>(std::max<std::size_t>(1, names.size()));
  Json rows = category_axis(names);
  rows["inverse"] = true;
  Json scale = horizontal(value_axis("", "@count"));
  scale["min"] = 0;
  if (most > 0) scale["max"] = rounded(most * 1.0001);
  scale["axisLabel"]["showMaxLabel"] = false;
  const std::string even =
      against_even ? fmt::format(" · even {}", report::count_text(std::round(expected))) : "";
  panels.begin(heading + even, colour_of(variant), std::min(24 * static_cast<int>(names.size()), 960),
               std::move(scale), std::move(rows));
  Json bars = {{"type", "bar"},
               {"barMaxWidth", 16},
               {"barGap", "-100%"},
               {"color", colour_of(variant)},
               {"itemStyle", {{"color", colour_of(variant)}, {"borderRadius", 2}}},
               {"emphasis", {{"disabled", true}}},
               {"data", values}};
  if (against_even) {
    bars["markLine"] = {{"silent", true},
                        {"symbol", "none"},
                        {"label", {{"show", false}}},
                        {"lineStyle", {{"color", "@ink"}, {"type", "dashed"}, {"width", 1}}},
                        {"data", {{{"xAxis", rounded(expected)}}}}};
  }
  panels.add(std::move(bars));
  // The numbers belong to bars of their own that nobody sees: they must lie over the line.
  panels.add({{"type", "bar"},
              {"barMaxWidth", 16},
              {"z", 10},
              {"color", "transparent"},
              {"itemStyle", {{"color", "transparent"}}},
              {"emphasis", {{"disabled", true}}},
              {"label",
               {{"show", names.size() <= 40},
                {"position", "right"},
                {"color", "@ink"},
                {"backgroundColor", "@paper"},
                {"padding", {1, 3}},
                {"formatter", "@count"}}},
              {"data", std::move(values)}});
}

std::string instant_text(const Json& holder, std::string_view pointer) {
  const auto at = find_number(holder, pointer);
  return at && *at == 0 ? "start" : report::duration_text(at);
}

std::string epoch_heading(const std::string& prefix, const Json& epoch, bool only) {
  if (only) return prefix + "Keys per queue";
  return fmt::format("{}Keys per queue, {} – {}", prefix, instant_text(epoch, "/from_ns"),
                     instant_text(epoch, "/to_ns"));
}

}  // namespace

bool has_sharding(const ChartSource& source) { return source.any("/sharding"); }

ChartDrawing draw_sharding(const ChartSource& source) {
  Panels panels;
  for (const ChartVariant& variant : source.variants()) {
    const Json* sharding = sharding_of(variant);
    if (sharding == nullptr) continue;
    const std::string prefix = source.variants().size() > 1 ? variant.name + " · " : "";
    const Json& epochs = list_of(*sharding, "/epochs");
    for (const Json& epoch : epochs) {
      if (find_number(epoch, "/keys").value_or(0) > 0)
        add_panel(panels, variant, epoch_heading(prefix, epoch, epochs.size() == 1),
                  list_of(epoch, "/queues"), "keys");
    }
    // A queue that came or went had less time: over the whole run equal shares are no measure.
    add_panel(panels, variant, prefix + "Messages per queue", list_of(*sharding, "/queues"), "messages",
              epochs.size() == 1);
  }
  ChartDrawing drawing = panels.finish();
  drawing.option["tooltip"]["show"] = false;  // the values stand at the bars
  for (Json& each : drawing.option["grid"]) each["right"] = 72;
  return drawing;
}

}  // namespace brokerlab::chart
