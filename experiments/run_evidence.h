#pragma once

#include <memory>
#include <vector>

#include "core/json.h"
#include "experiments/plan.h"
#include "experiments/run_process.h"

namespace brokerlab {

// The parts of a run's evidence (docs/result.md, "Evidence") that follow from the plan and from how each
// process ended.
Json processes_evidence(const std::vector<std::unique_ptr<RunProcess>>& processes);
// Every (exchange, routing key) that some process can publish to, with the queues it leads to.
Json routes_evidence(const PlannedRun& plan);

// What came of a run, besides its plan.
struct RunRecord {
  std::uint64_t run_number = 0;
  Nanoseconds t0_ns = 0, load_end_ns = 0, drain_end_ns = 0;
  Json processes, queues;
  bool drained = false;
  std::string drain_reason;
  bool aborted = false;
  Json faults, membership, host, broker, notices;
};

// The evidence (docs/result.md).
Json run_evidence(const PlannedRun& plan, RunRecord record);

}  // namespace brokerlab
