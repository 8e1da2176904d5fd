#pragma once

#include "analysis/accounting.h"
#include "core/json.h"

namespace brokerlab {

// Theory beside measurement: for every role whose work takes time, the waits that were measured, those of a
// replay of the run's own arrivals and services (path_replay.h), and those of the textbook law that fits its
// arrivals and services (theory.h). Definitions in docs/metrics.md, "Theory".
//
// [{role, workers, queues, prefetch, tasks, arrivals{…}, service{…}, utilisation, measured{…}, replay{…},
// model{…}, makespan{…}, assumptions_failed[]}]; roles with fewer than a hundred pieces of work are absent.
// Keeps 40 bytes a piece of work, and therefore leaves a role out that finished more than a million.
Json predictions(const RecordedRun& run, const RunAccounts& accounts);

}  // namespace brokerlab
