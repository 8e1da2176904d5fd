#include "analysis/comparison.h"

#include <algorithm>
#include <vector>

#include "analysis/block_comparison.h"
#include "analysis/metrics.h"
#include "analysis/scaling.h"
#include "analysis/statistics.h"
#include "analysis/trial_figures.h"
#include "analysis/verdict.h"

namespace brokerlab {
namespace {

Json variant_json(const std::string& name, const Json& runs) {
  Json own = Json::array();
  for (const Json& run : runs)
    if (run.value("variant", "") == name) own.push_back(run);
  Json medians = Json::object();
  for (const HeadlineMetric& metric : headline_metrics()) {
    std::vector<double> values;
    for (const Json& run : own)
      if (const auto value = metric_value(metric, run)) values.push_back(*value);
    if (!values.empty()) medians[std::string(metric.name)] = median(std::move(values));
  }
  return {{"variant", name},
          {"runs", own.size()},
          {"verdict", judge_all(own).to_json().at("status")},
          {"medians", std::move(medians)}};
}

}  // namespace

Json compare_variants(const Json& runs, const Json& plan) {
  const std::vector<std::string> names = variant_names(runs, plan);
  Json json = {{"metrics", Json::array()}, {"variants", Json::array()}};
  for (const std::string& name : names) json["variants"].push_back(variant_json(name, runs));
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
  const std::string repeat = repeat_of_first(names, plan);
  json.update(compare_blocks(runs, names, repeat));
  Json settings = plan.is_object() ? plan.value("variants", Json::object()) : Json::object();
  settings.erase(repeat);
  if (Json scaling = scaling_of(settings, json["variants"]); !scaling.empty())
    json["scaling"] = std::move(scaling);
  return json;
}

}  // namespace brokerlab
