#include "analysis/chart_workers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "analysis/chart_panels.h"
#include "analysis/chart_style.h"

namespace brokerlab::chart {
namespace {

using Figure = std::optional<double> ChartConsumer::*;

// Nothing but zeros is no picture: consumers without any effort have no busy time to compare.
bool any_consumer(const ChartSource& source, Figure figure) {
  for (const ChartVariant& variant : source.variants()) {
    for (const ChartConsumer& consumer : consumers_of(variant)) {
      if ((consumer.*figure).value_or(0) > 0) return true;
    }
  }
  return false;
}

// "push · Jain 0.610"; with several repetitions "Jain 0.610 (0.608–0.612)".
std::string heading_with_jain(const ChartSource& source, const ChartVariant& variant,
                              std::string_view index) {
  std::string heading = source.variants().size() > 1 ? variant.name : "";
  const auto jain = spread(variant, fmt::format("/fairness/{}/jain", index));
  if (!jain) return heading;
  if (!heading.empty()) heading += " · ";
  heading += fmt::format("Jain {:.3f}", jain->median);
  const std::string low = fmt::format("{:.3f}", jain->low);
  const std::string high = fmt::format("{:.3f}", jain->high);
  return low == high ? heading : fmt::format("{} ({}–{})", heading, low, high);
}

Json bars(const std::string& colour, Json values, std::string_view formatter) {
  const bool labelled = values.size() <= 40;
  return {{"type", "bar"},
          {"barMaxWidth", 16},
          {"color", colour},
          {"itemStyle", {{"color", colour}, {"borderRadius", 2}}},
          {"emphasis", {{"disabled", true}}},
          {"label", {{"show", labelled}, {"position", "right"}, {"color", "@ink"}, {"formatter", formatter}}},
          {"data", std::move(values)}};
}

// High enough for a label per worker, as long as that fits on a page.
int height_for(std::size_t workers) { return std::min(24 * static_cast<int>(workers), 960); }

struct WorkerChart {
  Figure figure;
  const char* index;  // of the fairness indices
  const char* axis_name;
  const char* formatter;
  double scale;
};

ChartDrawing draw_per_worker(const ChartSource& source, const WorkerChart& chart) {
  std::vector<std::vector<ChartConsumer>> consumers;
  double most = 0;
  for (const ChartVariant& variant : source.variants()) {
    consumers.push_back(consumers_of(variant));
    for (const ChartConsumer& consumer : consumers.back()) {
      most = std::max(most, (consumer.*chart.figure).value_or(0) * chart.scale);
    }
  }
  Panels panels;
  for (std::size_t i = 0; i < consumers.size(); ++i) {
    if (consumers[i].empty()) continue;
    const ChartVariant& variant = source.variants()[i];
    std::vector<std::string> names;
    Json values = Json::array();
    for (const ChartConsumer& consumer : consumers[i]) {
      names.push_back(consumer.label);
      const auto value = consumer.*chart.figure;
      values.push_back(value ? rounded(*value * chart.scale) : Json());
    }
    Json workers = category_axis(names);
    workers["inverse"] = true;
    Json scale = horizontal(value_axis(chart.axis_name, chart.formatter));
    scale["min"] = 0;
    if (most > 0) scale["max"] = rounded(most * 1.0001);  // the same scale in every panel
    scale["axisLabel"]["showMaxLabel"] = false;
    panels.begin(heading_with_jain(source, variant, chart.index), colour_of(variant),
                 height_for(names.size()), std::move(scale), std::move(workers));
    panels.add(bars(colour_of(variant), std::move(values), chart.formatter));
  }
  ChartDrawing drawing = panels.finish();
  drawing.option["tooltip"]["valueFormatter"] = chart.formatter;
  drawing.option["tooltip"]["axisPointer"]["type"] = "shadow";
  for (Json& each : drawing.option["grid"]) each["right"] = 72;
  return drawing;
}

constexpr std::size_t kMostHighRows = 60;  // of a timeline

// worker-2 before worker-10.
struct NaturalOrder {
  static std::pair<std::string_view, std::string_view> parts(std::string_view name) {
    const std::size_t digits = name.find_last_not_of("0123456789") + 1;
    return {name.substr(0, digits), name.substr(digits)};
  }
  bool operator()(const std::string& a, const std::string& b) const {
    const auto [name_a, number_a] = parts(a);
    const auto [name_b, number_b] = parts(b);
    return std::tuple(name_a, number_a.size(), number_a) < std::tuple(name_b, number_b.size(), number_b);
  }
};

// The pieces of work of one run by consumer: [start, end, row, opacity]. Neighbours take turns between two
// shades, so that pieces without a pause between them can be told apart.
struct Timeline {
  std::vector<std::string> rows;
  Json whole = Json::array();
  Json cut = Json::array();  // ended by the death of their process
  double end = 0;

  explicit Timeline(const Json& pieces) {
    std::map<std::string, std::size_t, NaturalOrder> known;
    for (const Json& piece : pieces) known[find_text(piece, "/consumer")] = 0;
    for (auto& [consumer, row] : known) {
      row = rows.size();
      rows.push_back(consumer);
    }
    std::vector<int> turns(rows.size());
    for (const Json& piece : pieces) {
      const auto started = find_number(piece, "/started_ns");
      const auto done = find_number(piece, "/done_ns");
      if (!started || !done) continue;
      const std::size_t row = known.at(find_text(piece, "/consumer"));
      const bool was_cut = find_value(piece, "/cut") != nullptr;
      const double opacity = !was_cut && turns[row]++ % 2 == 1 ? 0.55 : 1;
      (was_cut ? cut : whole)
          .push_back({rounded(milliseconds(*started)), rounded(milliseconds(*done)), row, opacity});
      end = std::max(end, milliseconds(*done));
    }
  }
};

Json strokes(const std::string& colour, Json pieces) {
  return {{"type", "custom"},
          {"renderItem", "@stroke"},
          {"encode", {{"x", {0, 1}}, {"y", 2}}},
          {"itemStyle", {{"color", colour}}},
          {"silent", true},
          {"data", std::move(pieces)}};
}

const Json* gantt_of(const ChartVariant& variant) {
  for (const Json* run : variant.runs) {
    const Json* gantt = find_value(*run, "/gantt");
    if (gantt != nullptr && gantt->is_array() && !gantt->empty()) return gantt;
  }
  return nullptr;
}

std::string timeline_heading(const ChartSource& source, const ChartVariant& variant) {
  std::string heading = source.variants().size() > 1 ? variant.name : "";
  if (variant.runs.size() > 1) heading += heading.empty() ? "first repetition" : " · first repetition";
  return heading;
}

}  // namespace

bool has_messages_per_worker(const ChartSource& source) {
  return any_consumer(source, &ChartConsumer::messages);
}

ChartDrawing draw_messages_per_worker(const ChartSource& source) {
  return draw_per_worker(source, {&ChartConsumer::messages, "by_messages", "messages finished", "@count", 1});
}

bool has_busy_time_per_worker(const ChartSource& source) {
  return any_consumer(source, &ChartConsumer::busy_ns);
}

ChartDrawing draw_busy_time_per_worker(const ChartSource& source) {
  return draw_per_worker(source, {&ChartConsumer::busy_ns, "by_busy_time", "busy time", "@duration", 1e-6});
}

bool has_fairness(const ChartSource& source) {
  return source.any("/fairness/by_messages") || source.any("/fairness/by_busy_time") ||
         source.any("/fairness/by_bytes");
}

ChartDrawing draw_fairness(const ChartSource& source) {
  std::vector<Measure> measures = {{"Jain's index by messages (1 = everybody the same)", "@index", {}},
                                   {"Jain's index by busy time", "@index", {}},
                                   {"Jain's index by bytes", "@index", {}}};
  const char* const keys[] = {"by_messages", "by_busy_time", "by_bytes"};
  for (std::size_t i = 0; i < measures.size(); ++i) {
    for (const ChartVariant& variant : source.variants()) {
      const auto jain = spread(variant, fmt::format("/fairness/{}/jain", keys[i]));
      measures[i].values.emplace_back(&variant, jain ? rounded(jain->median) : Json());
    }
  }
  return draw_measures(measures);
}

bool has_gantt(const ChartSource& source) {
  return std::any_of(source.variants().begin(), source.variants().end(),
                     [](const ChartVariant& variant) { return gantt_of(variant) != nullptr; });
}

ChartDrawing draw_gantt(const ChartSource& source) {
  std::vector<std::pair<const ChartVariant*, Timeline>> timelines;
  double end = 0;
  for (const ChartVariant& variant : source.variants()) {
    if (const Json* gantt = gantt_of(variant)) {
      timelines.emplace_back(&variant, Timeline(*gantt));
      end = std::max(end, timelines.back().second.end);
    }
  }
  Panels panels;
  for (auto& [variant, timeline] : timelines) {
    Json consumers = category_axis(timeline.rows);
    consumers["inverse"] = true;
    const int row = timeline.rows.size() > kMostHighRows ? 5 : 24;
    Json time = horizontal(value_axis("time since the start", "@duration"));
    time["min"] = 0;
    time["max"] = rounded(end);
    time["axisLabel"]["showMaxLabel"] = false;
    panels.begin(timeline_heading(source, *variant), colour_of(*variant),
                 row * static_cast<int>(timeline.rows.size()), std::move(time), std::move(consumers));
    panels.add(strokes(colour_of(*variant), std::move(timeline.whole)));
    if (!timeline.cut.empty()) panels.add(strokes("@lost", std::move(timeline.cut)));
  }
  ChartDrawing drawing = panels.finish();
  drawing.option["tooltip"]["show"] = false;
  return drawing;
}

}  // namespace brokerlab::chart
