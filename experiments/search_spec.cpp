#include "experiments/search_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "experiments/digest.h"
#include "experiments/meaning.h"
#include "experiments/origin.h"
#include "experiments/threshold.h"

namespace brokerlab {
namespace {

constexpr std::size_t kLongestName = 64;  // of a variant
constexpr double kReach = 1000;           // `to` without being given: so many times `from`
// What goes without saying: nothing is lost, and consumers keep up. What the backlog may grow by is added to
// what the answer may be off by.
constexpr const char* kNothingLost = "ledger.lost == 0";
constexpr double kMostGrowth = 2;  // per cent of what is published

std::string keeps_up(double precision) {
  return fmt::format("backlog.growth_share <= {:.4g}%", std::min(kMostGrowth, 100 * precision / 2));
}

std::vector<std::string> with_defaults(const Json& experiment) {
  const ThresholdNames names = ThresholdNames::of(experiment);
  const auto given = experiment.at("search").at("conditions").get<std::vector<std::string>>();
  std::vector<std::string> all;
  const double precision = experiment.at("search").at("precision");
  for (const std::string& expression : {std::string(kNothingLost), keeps_up(precision)}) {
    const auto place = [&](const std::string& of) {
      return tokens_of(parse_threshold(of, names).metric).front() == "backlog"
                 ? "/backlog"
                 : parse_threshold(of, names).metric.to_string();
    };
    const bool said = std::any_of(given.begin(), given.end(), [&](const std::string& other) {
      return place(other) == place(expression);
    });
    if (!said && !list_at(experiment, "roles").empty()) all.push_back(expression);
  }
  all.insert(all.end(), given.begin(), given.end());
  return all;
}

double declared_rate(const Json& load) {
  return load.at("arrivals").at("rate").get<double>() * load.at("instances").get<double>();
}

}  // namespace

SearchSpec::SearchSpec(const Json& experiment) : conditions_(with_defaults(experiment)) {
  const Json& search = experiment.at("search");
  const Json& loads = experiment.at("load");
  const Json& named = list_at(search, "loads");
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const std::string name = loads[i].at("name");
    const bool chosen = named.empty() ? member(loads[i].at("arrivals"), "rate").is_number()
                                      : std::find(named.begin(), named.end(), name) != named.end();
    if (!chosen) continue;
    indices_.push_back(i);
    loads_.push_back(name);
    declared_per_s_ += declared_rate(loads[i]);
  }
  range_.from = search.value("from", declared_per_s_);
  range_.to = search.value("to", kReach * range_.from);
  range_.precision = search.at("precision");
  range_.trials = search.at("trials");
  limit_of_machine_ = search.at("limit_of") == "machine";
  const Json& phases = experiment.at("phases");
  load_ns_ = parse_duration(phases.at("warmup")) + parse_duration(phases.at("measure"));
}

Variant SearchSpec::at_rate(const Variant& variant, double per_s) const {
  Variant trial{trial_name(variant.name, per_s), variant.experiment};
  trial.experiment.erase("search");
  for (const std::size_t index : indices_) {
    Json& rate = trial.experiment["load"][index]["arrivals"]["rate"];
    rate = rate.get<double>() * per_s / declared_per_s_;
  }
  return trial;
}

bool has_search(const Experiment& experiment) {
  return experiment.variants.front().experiment.contains("search");
}

std::string rate_digits(double per_s) { return fmt::format("{:.10g}", per_s); }

std::string trial_name(const std::string& variant, double per_s) {
  const std::string rate = "rate=" + rate_digits(per_s);
  if (variant == kOnlyVariant) return rate;
  if (variant.size() + 1 + rate.size() <= kLongestName) return variant + "," + rate;
  // Long names, of a matrix, may be the same for long.
  constexpr std::size_t kDigits = 6;
  const std::string digest = sha256(variant).substr(0, kDigits);
  return variant.substr(0, kLongestName - rate.size() - kDigits - 2) + "-" + digest + "," + rate;
}

}  // namespace brokerlab
