#pragma once

#include <string>

#include "core/json.h"

namespace brokerlab {

// Runs as OpenMetrics 1.0 text, in base units (seconds, bytes): what Prometheus and its relatives read. Every
// sample is labelled with experiment, variant and repetition. What was not measured has no sample.
std::string export_openmetrics(const Json& result, const Json& runs);

}  // namespace brokerlab
