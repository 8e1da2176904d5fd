#include "experiments/run_evidence.h"

#include <algorithm>

namespace brokerlab {
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
  for (const PlannedRoute& route : plan.other_keys) {
    evidence.push_back(to_json(route));
    evidence.back()["routing_key"] = nullptr;  // where every key leads that is not listed
  }
  for (const PlannedProcess& process : plan.processes) {
    for (const PlannedRoute& route : process.routes) {
      Json item = to_json(route);
      if (std::find(evidence.begin(), evidence.end(), item) == evidence.end())
        evidence.push_back(std::move(item));
    }
  }
  return evidence;
}

}  // namespace brokerlab
