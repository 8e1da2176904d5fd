#pragma once

#include <string>
#include <vector>

#include "analysis/broker_account.h"
#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

struct BrokerSeriesAxis {
  Nanoseconds t0_ns = 0;
  Nanoseconds interval_ns = 0;             // of the run's series
  Nanoseconds span_ns = 0;                 // that it covers
  Nanoseconds sampling_ns = 0;             // between two samples
  const std::vector<std::string>& queues;  // names
};

// `series.broker` of a run (docs/result.md): every figure of the broker over time, in intervals that are a
// multiple of the run's and long enough to hold a sample each, so that null means that there was none. Means
// within an interval; of alarms, flow and blocked connections the largest.
Json broker_series(const BrokerAccount& account, const BrokerSeriesAxis& axis);

}  // namespace brokerlab
