#pragma once

#include "core/json.h"

namespace brokerlab {

// Runs as Google Benchmark's JSON, for its tools (tools/compare.py with its U test): one entry per run and
// figure, the repetitions of a variant under one name, "variant/end_to_end/p99". Its figures are times, of
// which less is better, so a rate stands as the time per message. There is no processor time of a figure:
// cpu_time is real_time once more.
Json export_gbench(const Json& result, const Json& runs);

}  // namespace brokerlab
