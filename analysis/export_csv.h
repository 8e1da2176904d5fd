#pragma once

#include <string>

#include "core/json.h"

namespace brokerlab {

// Every figure of every run as comma-separated values in long form, one row per run and metric:
// variant,repetition,metric,value,unit. A metric is named by its place in the result
// ("latency.end_to_end.p99_ns"); what was not measured has no row.
std::string export_csv(const Json& runs);
// The series of every run: variant,repetition,metric,at_ns,value,unit; `at_ns` is where the interval begins.
std::string export_series_csv(const Json& runs);

}  // namespace brokerlab
