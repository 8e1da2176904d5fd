#include "analysis/result_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "analysis/trial_figures.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr std::size_t kLeastTrials = 4;  // the fewest of each with which a U test can show anything

constexpr std::size_t kMostShown = 40;  // characters of a hash that tell it from another, and of most names

double smallest_p_of_equal_groups(std::size_t trials) { return smallest_mann_whitney_p(trials, trials); }

std::vector<const HeadlineMetric*> wanted_metrics(const std::vector<std::string>& names) {
  std::vector<const HeadlineMetric*> metrics;
  std::string known;
  for (const HeadlineMetric& metric : headline_metrics()) {
    if (metric.better == BetterSide::kNeither) continue;
    known += (known.empty() ? "" : ", ") + std::string(metric.name);
    const bool wanted = names.empty() || std::find(names.begin(), names.end(), metric.name) != names.end();
    if (wanted) metrics.push_back(&metric);
  }
  for (const std::string& name : names) {
    if (std::none_of(metrics.begin(), metrics.end(),
                     [&](const HeadlineMetric* metric) { return metric->name == name; }))
      throw Error("no figure \"" + name + "\" can be compared", "--metric", "choose one of " + known,
                  ExitStatus::kUsage);
  }
  return metrics;
}

// (baseline's, candidate's): the variants of the same name, or the only one of each.
std::vector<std::pair<std::string, std::string>> variants_in_common(const Json& baseline,
                                                                    const Json& candidate) {
  // What is compared with itself there, is not compared with another's here.
  const auto names_of = [](const Json& result) {
    const Json plan = result.value("plan", Json());
    std::vector<std::string> names = variant_names(result.at("runs"), plan);
    std::erase(names, repeat_of_first(names, plan));
    return names;
  };
  const std::vector<std::string> first = names_of(baseline), second = names_of(candidate);
  std::vector<std::pair<std::string, std::string>> common;
  for (const std::string& name : first)
    if (std::find(second.begin(), second.end(), name) != second.end()) common.emplace_back(name, name);
  if (common.empty() && first.size() == 1 && second.size() == 1) common.emplace_back(first[0], second[0]);
  if (common.empty())
    throw Error("the results have no variant in common", candidate.value("experiment", ""),
                "compare results of the same experiment, or of one variant each", ExitStatus::kUsage);
  return common;
}

void test_groups(Effect& effect, const std::vector<double>& baseline, const std::vector<double>& candidate) {
  effect.p = mann_whitney_p(baseline, candidate);
  effect.smallest_p = smallest_mann_whitney_p(baseline.size(), candidate.size());
  effect.cliffs_delta = cliffs_delta(baseline, candidate);
  effect.change = hodges_lehmann_shift(baseline, candidate);
}

std::string text_at(const Json& result, const char* pointer) {
  const JsonPointer at{std::string(pointer)};
  if (!result.contains(at)) return "";
  const Json& value = result.at(at);
  return value.is_string() ? value.get<std::string>().substr(0, kMostShown) : value.dump();
}

bool differs_from_itself(const Json& result) {
  const JsonPointer at("/comparison/aa/differs");
  return result.contains(at) && !result.at(at).empty();
}

std::vector<std::string> differences(const Json& baseline, const Json& candidate) {
  constexpr struct {
    const char* pointer;
    const char* what;
  } kSame[] = {{"/config_hash", "what was measured (config_hash)"},
               {"/environment/host/hostname", "the host"},
               {"/environment/host/cpu_model", "the host's processor"},
               {"/environment/host/cores", "the number of cores"},
               {"/environment/versions/rabbitmq", "the version of RabbitMQ"},
               {"/environment/versions/erlang", "the version of Erlang"},
               {"/environment/versions/brokerlab", "the version of brokerlab"}};
  std::vector<std::string> found;
  for (const auto& each : kSame) {
    const std::string one = text_at(baseline, each.pointer), other = text_at(candidate, each.pointer);
    if (one != other && !one.empty() && !other.empty())
      found.push_back(fmt::format("{} differs: {} against {}", each.what, one, other));
  }
  return found;
}

}  // namespace

bool ResultComparison::regression() const {
  return std::any_of(effects.begin(), effects.end(), [](const Effect& effect) { return effect.worse(); });
}

ResultComparison compare_results(const Json& baseline, const Json& candidate,
                                 const ComparisonRequest& request) {
  const std::vector<const HeadlineMetric*> metrics = wanted_metrics(request.metrics);
  ResultComparison comparison;
  comparison.warnings = differences(baseline, candidate);
  const auto common = variants_in_common(baseline, candidate);
  for (const auto& [first_name, second_name] : common) {
    const std::string of = common.size() > 1 ? " (" + first_name + ")" : "";
    const EffectSide first{first_name, "the baseline" + of, comparable_runs(baseline.at("runs"), first_name)};
    const EffectSide second{second_name, "the candidate" + of,
                            comparable_runs(candidate.at("runs"), second_name)};
    const bool none = first.trials.empty() || second.trials.empty();
    const std::string missing = none ? "one of them has no usable run" : "";
    for (const HeadlineMetric* metric : metrics) {
      if (auto effect = effect_of(*metric, first, second, missing, test_groups))
        comparison.effects.push_back(std::move(*effect));
    }
  }
  judge_family(comparison.effects, {.margin = request.margin,
                                    .least_trials = kLeastTrials,
                                    .smallest_p = smallest_p_of_equal_groups,
                                    .trial = "trial"});
  for (const auto& [result, called] : {std::pair(&baseline, "baseline"), {&candidate, "candidate"}}) {
    if (!differs_from_itself(*result)) continue;
    comparison.warnings.push_back(
        fmt::format("the A/A of the {} differs: no verdict is to be trusted", called));
    distrust(comparison.effects);
  }
  return comparison;
}

Json to_json(const ResultComparison& comparison, double margin) {
  Json json = {{"margin", margin},
               {"regression", comparison.regression()},
               {"warnings", comparison.warnings},
               {"pairs", Json::array()}};
  for (const Effect& effect : comparison.effects) json["pairs"].push_back(to_json(effect));
  return json;
}

}  // namespace brokerlab
