#pragma once

#include <vector>

#include "cli/experiment_run.h"
#include "core/error.h"

namespace brokerlab {

// Runs all experiments, or those until one fails; what was measured before a failure is reported with it.
// Prints the summary, or with `json` the results; `quiet` shows no progress.
ExitStatus run_all(const std::vector<Experiment>& experiments, const RunOptions& options, bool quiet,
                   bool json);

}  // namespace brokerlab
