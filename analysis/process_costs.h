#pragma once

#include "analysis/accounting.h"

namespace brokerlab {

// What the processes of a run took of the machine: [{"process", "instances", "cpu_ns", "resident_bytes",
// "messages"}]. Processor time from a process's start to its end, both of user and system; resident memory at
// its last look, which is at its end unless it was killed; messages it published and received. The controller
// is not among them. Empty where nobody looked, as in a simulation.
Json process_costs(const RecordedRun& run);

}  // namespace brokerlab
