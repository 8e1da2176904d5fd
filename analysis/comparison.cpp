#include "analysis/comparison.h"

#include <algorithm>
#include <vector>

#include "analysis/block_comparison.h"
#include "analysis/metrics.h"
#include "analysis/scaling.h"
#include "analysis/verdict.h"

namespace brokerlab {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Json variant_json(const std::string& name, const Json& runs) {
  Json medians = Json::object();
  for (const HeadlineMetric& metric : headline_metrics()) {
    std::vector<double> values;
    for (const Json& run : runs)
      if (const auto value = metric_value(metric, run)) values.push_back(*value);
    if (!values.empty()) medians[std::string(metric.name)] = median(std::move(values));
  }
  return {{"variant", name},
          {"runs", runs.size()},
          {"verdict", judge_all(runs).to_json().at("status")},
          {"medians", std::move(medians)}};
}

}  // namespace

Json compare_variants(const Json& runs, const Json& plan) {
  std::vector<std::pair<std::string, Json>> variants;
  for (const Json& run : runs) {
    const std::string name = run.value("variant", "");
    auto found = std::find_if(variants.begin(), variants.end(),
                              [&](const auto& entry) { return entry.first == name; });
    if (found == variants.end()) found = variants.insert(variants.end(), {name, Json::array()});
    found->second.push_back(run);
  }
  Json json = {{"metrics", Json::array()}, {"variants", Json::array()}};
  for (const auto& [name, own] : variants) json["variants"].push_back(variant_json(name, own));
  for (const HeadlineMetric& metric : headline_metrics()) {
    const std::string name(metric.name);
    const bool shown =
        std::any_of(json["variants"].begin(), json["variants"].end(), [&](const Json& variant) {
          const Json& medians = variant.at("medians");
          return medians.contains(name) && (metric.always || medians.at(name) != 0);
        });
    if (shown)
      json["metrics"].push_back(
          {{"name", metric.name}, {"unit", to_text(metric.unit)}, {"better", to_text(metric.better)}});
  }
  if (Json pairs = compare_blocks(runs); !pairs.empty()) json["pairs"] = std::move(pairs);
  const Json settings = plan.is_object() ? plan.value("variants", Json::object()) : Json::object();
  if (Json scaling = scaling_of(settings, json["variants"]); !scaling.empty())
    json["scaling"] = std::move(scaling);
  return json;
}

}  // namespace brokerlab
