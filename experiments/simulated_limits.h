#pragma once

#include "experiments/plan.h"

namespace brokerlab {

// Throws Error (kUsage) naming the key, as a JSON pointer, when the run declares something that a simulation
// does not model: nothing is passed over in silence. docs/simulation.md has the list.
void refuse_what_is_not_simulated(const PlannedRun& run);

// What is declared and makes no difference in a simulation, for the run's notices.
std::vector<std::string> without_effect_in_simulation(const PlannedRun& run);

}  // namespace brokerlab
