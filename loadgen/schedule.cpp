#include "loadgen/schedule.h"

#include <algorithm>
#include <cmath>

#include "loadgen/load_spec.h"
#include "loadgen/pacer.h"
#include "loadgen/template.h"

namespace brokerlab {
namespace {

constexpr std::size_t kMostRoutes = 254;      // 255 stands for "not listed"
constexpr double kMostCountedMessages = 2e7;  // walked message by message, about half a second

std::vector<std::string> possible_keys(const LoadSpec& spec) {
  if (spec.routing_key.is_string()) return {spec.routing_key.get<std::string>()};
  if (spec.routing_key.contains("template")) {
    const Template keys = Template::of_text(spec.routing_key.at("template").get<std::string>());
    return keys.all(spec.instances, kMostRoutes).value_or(std::vector<std::string>());
  }
  if (spec.routing_key.contains("random")) return {};
  if (spec.routing_key.contains("body")) {
    std::vector<std::string> keys;
    for (const Json& key : spec.routing_key.at("body").value("map", Json::object())) keys.push_back(key);
    return keys;
  }
  return spec.routing_key.begin()->get<std::vector<std::string>>();  // choice or cycle
}

// Messages of one instance if the mean rate holds; 0 for what is counted without walking.
double expected_walk(const LoadSpec& spec, Nanoseconds horizon) {
  const double seconds = static_cast<double>(horizon) / kNanosecondsPerSecond;
  if (const auto* poisson = std::get_if<PoissonArrivals>(&spec.arrivals))
    return seconds * poisson->rate_per_s;
  if (const auto* renewal = std::get_if<RenewalArrivals>(&spec.arrivals))
    return seconds / renewal->gap_s->mean();
  return 0;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> possible_routes(const Json& entry) {
  Json without_arrivals = entry;  // which may name a file, and say nothing about routes
  without_arrivals.erase("arrivals");
  const LoadSpec spec = LoadSpec::from_json(without_arrivals);
  std::vector<std::pair<std::string, std::string>> routes;
  for (const std::string& key : possible_keys(spec)) {
    const auto route = std::pair(spec.exchange, key);
    if (std::find(routes.begin(), routes.end(), route) == routes.end()) routes.push_back(route);
  }
  if (routes.size() > kMostRoutes) routes.clear();
  return routes;
}

std::optional<std::uint64_t> scheduled_count(const Json& entry, Nanoseconds load_ns,
                                             std::optional<std::uint64_t> seed,
                                             const std::filesystem::path& directory) {
  const LoadSpec spec = LoadSpec::from_json(entry, directory);
  if (spec.closed_loop()) return std::nullopt;
  const Nanoseconds horizon = spec.horizon_ns(load_ns);
  const double walk = expected_walk(spec, horizon) * spec.instances;
  if (walk > 0 && (!seed || walk > kMostCountedMessages)) return std::nullopt;
  std::uint64_t total = 0;
  for (std::uint32_t instance = 0; instance < spec.instances; ++instance) {
    const std::uint64_t count = Pacer::make(spec, seed.value_or(0), instance)->count_within(horizon);
    total += std::min(count, spec.stop_count.value_or(count));
  }
  return total;
}

}  // namespace brokerlab
