#pragma once

#include <string>

#include "core/histogram.h"
#include "core/json.h"

namespace brokerlab {

// The percentile distribution of a histogram in milliseconds, as HdrHistogram's outputPercentileDistribution
// prints it with 5 ticks per half distance: what the plotters of .hgrm files read.
std::string percentile_distribution(const Histogram& histogram);

// HdrHistogram's interval log, version 1.3: one line per run and latency stream, tagged "variant/stream" (a
// comma or a space of a variant's name becomes "_"). The result does not keep when each run began, so the
// runs stand one after the other from the start of the experiment. `stream` empty: all streams.
std::string export_histogram_log(const Json& result, const Json& runs, const std::string& stream);

}  // namespace brokerlab
