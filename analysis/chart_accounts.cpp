#include "analysis/chart_accounts.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/chart_panels.h"
#include "analysis/chart_style.h"

namespace brokerlab::chart {
namespace {

// A part of a stacked bar: what it is called and how many messages it holds in one variant, over all
// repetitions.
struct Part {
  std::string name;
  std::string colour;
  std::vector<std::optional<double>> values;  // by variant
};

std::optional<double> ledger(const ChartVariant& variant, std::string_view key) {
  return total(variant, fmt::format("/ledger/{}", key));
}

std::optional<double> less(std::optional<double> from, std::optional<double> amount) {
  if (!from) return std::nullopt;
  return std::max(0.0, *from - amount.value_or(0));
}

std::vector<Part> fates_of_published(const ChartSource& source) {
  std::vector<Part> parts = {{"confirmed and routed", "@good", {}},
                             {"unroutable", "@unroutable", {}},
                             {"nacked", "@nacked", {}},
                             {"refused", "@ignored", {}},
                             {"unknown outcome", "@unknown", {}},
                             {"without confirms", "@twice", {}}};
  for (const ChartVariant& variant : source.variants()) {
    parts[0].values.push_back(less(ledger(variant, "confirmed"), ledger(variant, "returned")));
    parts[1].values.push_back(ledger(variant, "returned"));
    parts[2].values.push_back(ledger(variant, "nacked"));
    parts[3].values.push_back(ledger(variant, "refused"));
    parts[4].values.push_back(ledger(variant, "unknown"));
    parts[5].values.push_back(ledger(variant, "unconfirmed_by_design"));
  }
  return parts;
}

std::vector<Part> fates_of_copies(const ChartSource& source) {
  std::vector<Part> parts = {{"done", "@good", {}},
                             {"ignored", "@ignored", {}},
                             {"received, not done", "@unknown", {}},
                             {"delivered again", "@twice", {}},
                             {"lost", "@lost", {}},
                             {"lost by design", "@nacked", {}}};
  for (const ChartVariant& variant : source.variants()) {
    const auto done = ledger(variant, "done");
    parts[0].values.push_back(less(done, ledger(variant, "ignored")));
    parts[1].values.push_back(ledger(variant, "ignored"));
    parts[2].values.push_back(done ? less(ledger(variant, "unique"), done) : std::nullopt);
    parts[3].values.push_back(ledger(variant, "duplicates"));
    parts[4].values.push_back(less(ledger(variant, "lost"), ledger(variant, "lost_by_design")));
    parts[5].values.push_back(ledger(variant, "lost_by_design"));
  }
  return parts;
}

// With a single variant the legend has room for the numbers.
std::string legend_name(const Part& part) {
  if (part.values.size() != 1 || !part.values.front()) return part.name;
  return fmt::format("{}: {}", part.name, *part.values.front());
}

bool holds_anything(const Part& part) {
  return std::any_of(part.values.begin(), part.values.end(),
                     [](const auto& value) { return value.value_or(0) > 0; });
}

Json stack_part(const Part& part, const std::vector<double>& totals) {
  constexpr double kWideEnough = 0.12;  // of the bar, for a number within it
  Json data = Json::array();
  for (std::size_t i = 0; i < part.values.size(); ++i) {
    const double value = part.values[i].value_or(0);
    Json item = {{"value", value > 0 ? rounded(value) : Json()}};
    if (value < kWideEnough * totals[i]) item["label"] = {{"show", false}};
    data.push_back(std::move(item));
  }
  return {{"type", "bar"},
          {"name", legend_name(part)},
          {"barMaxWidth", 20},
          {"barMinHeight", 2},  // one lost among a million must be seen
          {"color", part.colour},
          {"itemStyle", {{"color", part.colour}}},
          {"label",
           {{"show", true},
            {"position", "inside"},
            {"color", "@paper"},
            {"fontSize", 11},
            {"formatter", "@count"}}},
          {"emphasis", {{"disabled", true}}},
          {"data", std::move(data)}};
}

void add_stack(Panels& panels, const ChartSource& source, const std::string& heading,
               const std::vector<Part>& parts) {
  std::vector<std::string> names;
  for (const ChartVariant& variant : source.variants()) names.push_back(variant.name);
  std::vector<double> totals(names.size());
  for (const Part& part : parts) {
    for (std::size_t i = 0; i < names.size(); ++i) totals[i] += part.values[i].value_or(0);
  }
  const double most = *std::max_element(totals.begin(), totals.end());
  Json variants = category_axis(names);
  variants["inverse"] = true;
  Json scale = value_axis("", "@count");
  scale["min"] = 0;
  if (most > 0) scale["max"] = most;
  scale["axisLabel"]["showMaxLabel"] = false;
  panels.begin(heading, "@ink", std::max(28, row_height(names)) * static_cast<int>(names.size()),
               std::move(scale), std::move(variants));
  for (const Part& part : parts) {
    if (!holds_anything(part)) continue;
    Json drawn = stack_part(part, totals);
    drawn["stack"] = heading;
    panels.add(std::move(drawn));
  }
}

using Value = std::optional<double> (*)(const ChartVariant&);

// A percentile of all repetitions together, where at least ten samples lie beyond it.
std::optional<double> percentile_ms(const ChartVariant& variant, std::string_view stream, double q) {
  const auto histogram = merged_histogram(variant, stream);
  if (!histogram || static_cast<double>(histogram->count()) * (1 - q) < 10 - 1e-9) return std::nullopt;
  return milliseconds(static_cast<double>(histogram->quantile(q)));
}

std::optional<double> median_of(const ChartVariant& variant, std::string_view pointer) {
  const auto values = spread(variant, pointer);
  return values ? std::optional(values->median) : std::nullopt;
}

Measure measure(const ChartSource& source, std::string heading, std::string formatter, Value value) {
  Measure made{std::move(heading), std::move(formatter), {}};
  for (const ChartVariant& variant : source.variants())
    made.values.emplace_back(&variant, rounded(value(variant)));
  return made;
}

// A figure that is the same everywhere, within a hundredth, says nothing about the variants' difference.
bool same_everywhere(const Measure& measure) {
  constexpr double kSame = 0.01;
  std::optional<double> least;
  std::optional<double> most;
  std::size_t missing = 0;
  for (const auto& [variant, value] : measure.values) {
    if (!value.is_number()) {
      ++missing;
      continue;
    }
    least = std::min(least.value_or(value.get<double>()), value.get<double>());
    most = std::max(most.value_or(value.get<double>()), value.get<double>());
  }
  if (missing > 0) return missing == measure.values.size();
  return *most - *least <= kSame * *most;
}

std::vector<Measure> comparison(const ChartSource& source) {
  std::vector<Measure> measures = {
      measure(source, "All done after", "@duration",
              [](const ChartVariant& v) {
                const auto makespan = median_of(v, "/makespan_ns");
                return makespan ? std::optional(*makespan / 1e6) : std::nullopt;
              }),
      measure(source, "Median age at arrival (p50)", "@duration",
              [](const ChartVariant& v) { return percentile_ms(v, "end_to_end", 0.5); }),
      measure(source, "Age at arrival, 99 % within (p99)", "@duration",
              [](const ChartVariant& v) { return percentile_ms(v, "end_to_end", 0.99); }),
      measure(source, "Age when done, 99 % within (p99)", "@duration",
              [](const ChartVariant& v) { return percentile_ms(v, "done", 0.99); }),
      measure(source, "Deliveries per published message (amplification)", "@count",
              [](const ChartVariant& v) { return median_of(v, "/network/amplification"); }),
      measure(source, "Share of published messages that no queue took (unroutable)", "@share",
              [](const ChartVariant& v) { return median_of(v, "/network/unroutable_share"); }),
      measure(source, "Share of deliveries that were ignored", "@share",
              [](const ChartVariant& v) { return median_of(v, "/network/ignored_share"); }),
      measure(source, "Evenness of busy time (Jain, 1 = everybody the same)", "@index",
              [](const ChartVariant& v) { return median_of(v, "/fairness/by_busy_time/jain"); }),
  };
  std::erase_if(measures, same_everywhere);
  return measures;
}

}  // namespace

bool has_ledger(const ChartSource& source) { return source.any("/ledger/published"); }

ChartDrawing draw_ledger(const ChartSource& source) {
  const std::vector<Part> published = fates_of_published(source);
  const std::vector<Part> copies = fates_of_copies(source);
  std::vector<std::string> names;
  for (const auto* parts : {&published, &copies}) {
    for (const Part& part : *parts) {
      if (holds_anything(part)) names.push_back(legend_name(part));
    }
  }
  Panels panels;
  panels.legend(names, LegendSign::kBox);
  add_stack(panels, source, "What became of the messages published", published);
  add_stack(panels, source, "What became of their copies in queues", copies);
  ChartDrawing drawing = panels.finish();
  drawing.option["tooltip"]["axisPointer"]["type"] = "shadow";
  drawing.option["tooltip"]["valueFormatter"] = "@count";
  return drawing;
}

bool has_network(const ChartSource& source) {
  return source.any("/network/per_task/messages") || source.any("/network/per_task/bytes");
}

ChartDrawing draw_network(const ChartSource& source) {
  return draw_measures(
      {measure(source, "Messages between broker and processes, per task", "@count",
               [](const ChartVariant& v) { return median_of(v, "/network/per_task/messages"); }),
       measure(source, "Bytes per task, both directions", "@bytes",
               [](const ChartVariant& v) { return median_of(v, "/network/per_task/bytes"); }),
       measure(source, "AMQP frames per task, both directions", "@count",
               [](const ChartVariant& v) { return median_of(v, "/network/per_task/frames"); })});
}

bool has_comparison(const ChartSource& source) {
  return source.variants().size() > 1 && !comparison(source).empty();
}

ChartDrawing draw_comparison(const ChartSource& source) { return draw_measures(comparison(source)); }

}  // namespace brokerlab::chart
