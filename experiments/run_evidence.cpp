#include "experiments/run_evidence.h"

#include <algorithm>

namespace brokerlab {
namespace {

const char* name_of(PlannedRoute::Delivery delivery) {
  switch (delivery) {
    case PlannedRoute::Delivery::kAll:
      return "all";
    case PlannedRoute::Delivery::kOneOf:
      return "one_of";
    case PlannedRoute::Delivery::kUnknown:
      break;
  }
  return "unknown";
}

// Without a key: where every key leads that is not listed.
Json to_json(const PlannedRoute& route, const Json& routing_key) {
  return {{"exchange", route.exchange},
          {"routing_key", routing_key},
          {"queues", route.queues},
          {"delivery", name_of(route.delivery)}};
}

}  // namespace

Json processes_evidence(const std::vector<std::unique_ptr<RunProcess>>& processes) {
  Json evidence = Json::array();
  for (const auto& process : processes) {
    const bool by_signal = process->exit.signal != 0;
    evidence.push_back({{"name", process->name},
                        {"kind", process->is_load() ? "load" : "role"},
                        {"entry", process->planned->entry},
                        {"recording", process->recording},
                        {"exit_status", by_signal ? Json(nullptr) : Json(process->exit.status)},
                        {"signal", by_signal ? Json(process->exit.signal) : Json(nullptr)},
                        {"ended_by", process->ended_by()},
                        {"error", process->error ? *process->error : Json(nullptr)}});
  }
  return evidence;
}

Json routes_evidence(const PlannedRun& plan) {
  Json evidence = Json::array();
  for (const PlannedRoute& route : plan.other_keys) evidence.push_back(to_json(route, nullptr));
  for (const PlannedProcess& process : plan.processes) {
    for (const PlannedRoute& route : process.routes) {
      Json item = to_json(route, route.routing_key);
      if (std::find(evidence.begin(), evidence.end(), item) == evidence.end())
        evidence.push_back(std::move(item));
    }
  }
  return evidence;
}

}  // namespace brokerlab
