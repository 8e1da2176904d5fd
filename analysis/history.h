#pragma once

#include <functional>
#include <string_view>

#include "analysis/recorded_run.h"

namespace brokerlab {

// Writes the history of a run as operations, one JSON object a line, by time: every publish and every
// handling of a delivery from its invocation to its outcome (ok, fail, info), with the faults and lost
// connections in between. The format stands in docs/result.md, "History". Read from the recordings as it is
// written: memory is bounded by what is under way at a time. `write` gets whole lines.
void write_history(const RecordedRun& run, const std::function<void(std::string_view)>& write);

}  // namespace brokerlab
