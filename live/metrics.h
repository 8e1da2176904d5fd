#pragma once

#include <string>
#include <string_view>

#include "core/metric_text.h"
#include "live/state.h"

namespace brokerlab::live {

// What is scraped: the names of OpenTelemetry's conventions for messaging where they have one, names of our
// own for the rest (docs/live.md). Every run has series of its own, told apart by the labels experiment,
// run_id, variant and repetition. Those of a finished run stay as they were at its end, so that no counter
// vanishes between two scrapes or begins again at zero; its gauges go. Pure.
std::string metrics_text(const Snapshot& snapshot, MetricFormat format, const MetricLabels& tags);

// The format that an Accept header wants more. Everything that does not ask for OpenMetrics gets the older
// one.
MetricFormat wanted_format(std::string_view accept);
const char* content_type(MetricFormat format);

// Labels that a person may not give: they are ours, or those of the format.
bool label_taken(std::string_view name);

}  // namespace brokerlab::live
