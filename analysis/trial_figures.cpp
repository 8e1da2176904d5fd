#include "analysis/trial_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace brokerlab {
namespace {

constexpr double kLeastBeyondPercentile = 100;

// .99 of "/latency/end_to_end/p99_ns"; nothing for a figure that is no percentile.
std::optional<double> quantile_of(std::string_view pointer) {
  const std::size_t at = pointer.rfind("/p");
  if (at == std::string_view::npos || !pointer.ends_with("_ns")) return std::nullopt;
  const std::string digits(pointer.substr(at + 2, pointer.size() - at - 5));
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stod("0." + digits);
}

double samples_of(std::string_view pointer, const Json& run) {
  const JsonPointer count(std::string(pointer.substr(0, pointer.rfind('/'))) + "/count");
  return run.contains(count) && run.at(count).is_number() ? run.at(count).get<double>() : 0;
}

}  // namespace

double TrialFigures::most() const {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

std::size_t TrialFigures::above_zero() const {
  return static_cast<std::size_t>(
      std::count_if(values.begin(), values.end(), [](double value) { return value > 0; }));
}

TrialFigures trial_figures(const HeadlineMetric& metric, const std::vector<const Json*>& trials) {
  TrialFigures figures;
  const auto quantile = quantile_of(metric.pointer);
  std::size_t missing = 0;
  double fewest = HUGE_VAL;
  for (const Json* run : trials) {
    const auto value = metric_value(metric, *run);
    if (quantile) fewest = std::min(fewest, samples_of(metric.pointer, *run));
    if (value) figures.measured = true;
    missing += value ? 0 : 1;
    if (value) figures.values.push_back(*value);
  }
  // 10000 * (1 - .99) may be a little less than 100 in binary.
  if (quantile && fewest * (1 - *quantile) < kLeastBeyondPercentile - 1e-6)
    figures.reason = fmt::format("a trial has {:.0f} samples; {:.0f} are needed", fewest,
                                 std::ceil(kLeastBeyondPercentile / (1 - *quantile) - 1e-6));
  else if (missing > 0)
    figures.reason = fmt::format("not measured in {} of {} trials", missing, trials.size());
  if (!figures.reason.empty()) figures.values.clear();
  return figures;
}

std::vector<const Json*> comparable_runs(const Json& runs, const std::string& variant) {
  std::vector<const Json*> chosen;
  for (const Json& run : runs) {
    if (run.value("variant", "") != variant || run.value("aborted", false)) continue;
    if (run.at("verdict").at("status") != "invalid") chosen.push_back(&run);
  }
  std::stable_sort(chosen.begin(), chosen.end(), [](const Json* one, const Json* other) {
    return one->value("repetition", 0) < other->value("repetition", 0);
  });
  return chosen;
}

std::vector<std::string> variant_names(const Json& runs, const Json& plan) {
  std::vector<std::string> names;
  for (const Json& run : runs) {
    const std::string name = run.value("variant", "");
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  const Json planned = plan.is_object() ? plan.value("variants", Json::object()) : Json::object();
  const auto place = [&](const std::string& name) {
    return std::distance(planned.begin(), planned.find(name));
  };
  std::stable_sort(names.begin(), names.end(), [&](const std::string& one, const std::string& other) {
    return place(one) < place(other);
  });
  return names;
}

std::string repeat_of_first(const std::vector<std::string>& names, const Json& plan) {
  const Json planned = plan.is_object() ? plan.value("variants", Json::object()) : Json::object();
  for (std::size_t i = 1; i < names.size(); ++i) {
    const auto first = planned.find(names.front()), other = planned.find(names[i]);
    if (first != planned.end() && other != planned.end() && *first == *other) return names[i];
  }
  return "";
}

}  // namespace brokerlab
