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

}  // namespace brokerlab
