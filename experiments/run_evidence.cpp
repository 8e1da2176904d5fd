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

Json run_evidence(const PlannedRun& plan, RunRecord record) {
  const Nanoseconds measure_start = record.t0_ns + plan.phases.warmup_ns;
  return {{"variant", plan.variant},
          {"repetition", plan.repetition},
          {"run", record.run_number},
          {"seed", plan.seed},
          {"t0_ns", record.t0_ns},
          {"phases",
           {{"start_ns", record.t0_ns},
            {"measure_start_ns", measure_start},
            {"measure_end_ns", measure_start + plan.phases.measure_ns},
            {"load_end_ns", record.load_end_ns},
            {"drain_end_ns", record.drain_end_ns}}},
          {"processes", std::move(record.processes)},
          {"loads", plan.experiment.at("load")},
          {"churn", plan.experiment.value("churn", Json::array())},
          {"roles", plan.experiment.at("roles")},
          {"routes", routes_evidence(plan)},
          {"queues", std::move(record.queues)},
          {"drained", record.drained},
          {"drain_reason", std::move(record.drain_reason)},
          {"aborted", record.aborted},
          {"faults", std::move(record.faults)},
          {"membership", std::move(record.membership)},
          {"hop_limit", plan.experiment.at("hop_limit")},
          {"host", std::move(record.host)},
          {"broker", std::move(record.broker)},
          {"notices", std::move(record.notices)}};
}

}  // namespace brokerlab
