#include <algorithm>

#include "core/error.h"
#include "experiments/meaning.h"
#include "experiments/search_spec.h"
#include "experiments/threshold.h"

namespace brokerlab {
namespace {

constexpr double kMostOfInstance = 10'000'000;  // messages per second, as the schema has it

bool has_rate(const Json& load) {
  const std::string process = text_at(member(load, "arrivals"), "process");
  return process == "constant" || process == "poisson";
}

void check_load(const Json& load, const JsonPointer& at, Findings& findings) {
  if (!has_rate(load))
    findings.error(at / "arrivals" / "process",
                   "a search changes the rate of this load, and only constant and poisson arrivals have one",
                   "name other loads in search.loads, or change the process");
  if (member(load, "stop").contains("count"))
    findings.error(at / "stop" / "count", "in a search every trial lasts as long as the measure phase",
                   "leave the count out");
}

// The loads that the search is about. Where none are named, those that have a rate.
std::vector<std::size_t> check_loads_of(const Json& experiment, Findings& findings) {
  const Json& loads = list_at(experiment, "load");
  const Json& named = list_at(member(experiment, "search"), "loads");
  std::vector<std::size_t> chosen;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    names.push_back(text_at(loads[i], "name"));
    const bool wanted = named.empty() ? has_rate(loads[i])
                                      : std::find(named.begin(), named.end(), names.back()) != named.end();
    if (!wanted) continue;
    check_load(loads[i], JsonPointer("/load") / i, findings);
    chosen.push_back(i);
  }
  for (std::size_t i = 0; i < named.size(); ++i) {
    const bool known = named[i].is_string() &&
                       std::find(names.begin(), names.end(), named[i].get<std::string>()) != names.end();
    if (!known && named[i].is_string())
      findings.error(JsonPointer("/search/loads") / i,
                     "there is no load \"" + named[i].get<std::string>() + "\"",
                     suggestion(named[i].get<std::string>(), names));
  }
  if (chosen.empty() && named.empty())
    findings.error(JsonPointer("/search"), "there is no load whose rate could be searched for",
                   "a load with \"arrivals\": {\"process\": \"constant\", \"rate\": 100}");
  return chosen;
}

void check_conditions(const Json& experiment, Findings& findings) {
  const ThresholdNames names = ThresholdNames::of(experiment);
  const Json& conditions = list_at(member(experiment, "search"), "conditions");
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    if (!conditions[i].is_string()) continue;
    const JsonPointer at = JsonPointer("/search/conditions") / i;
    try {
      const ThresholdExpression condition = parse_threshold(conditions[i].get<std::string>(), names);
      if (condition.of_search)
        findings.error(at, "a condition is about one trial, and this is what the search comes to",
                       "put it into \"thresholds\"");
    } catch (const Error& error) {
      findings.error(at, error.summary(), error.remedy());
    }
  }
}

void check_range(const Json& experiment, const std::vector<std::size_t>& loads, Findings& findings) {
  const SearchSpec spec(experiment);
  const SearchRange& range = spec.range();
  if (range.from >= range.to)
    return findings.error(
        JsonPointer("/search/to"),
        "the search would end at " + rate_digits(range.to) + " and begins at " + rate_digits(range.from),
        "a higher \"to\", or a lower \"from\"");
  for (const std::size_t index : loads) {
    const Json& load = list_at(experiment, "load")[index];
    const double most = kMostOfInstance * load.at("instances").get<double>();
    if (range.to > most && member(member(experiment, "search"), "to").is_number())
      findings.error(JsonPointer("/search/to"),
                     "an instance publishes at most 10,000,000 messages per second",
                     "a lower rate, or more instances of \"" + text_at(load, "name") + "\"");
  }
}

}  // namespace

void check_search(const Json& experiment, Findings& findings) {
  if (!member(experiment, "search").is_object()) return;
  if (whole_at(experiment, "repetitions") > 1)
    findings.error(JsonPointer("/repetitions"), "a search repeats its trials itself",
                   "leave it out, and set \"search\": {\"trials\": …}");
  const std::vector<std::size_t> loads = check_loads_of(experiment, findings);
  check_conditions(experiment, findings);
  const bool readable = !loads.empty() && findings.clean(JsonPointer("/search")) &&
                        findings.clean(JsonPointer("/load")) && findings.clean(JsonPointer("/phases")) &&
                        findings.clean(JsonPointer("/roles"));
  if (readable) check_range(experiment, loads, findings);
}

}  // namespace brokerlab
