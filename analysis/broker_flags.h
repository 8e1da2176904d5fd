#pragma once

#include "analysis/broker_account.h"
#include "analysis/depth_check.h"
#include "analysis/flags.h"
#include "analysis/timing.h"

namespace brokerlab {

// The flags about the broker itself: whether it was the bottleneck, and whether what it says can be true.
void measure_broker(const RecordedRun& run, const RunTiming& timing, const BrokerAccount& broker,
                    const DepthCheck& depths, FlagSet& flags);

}  // namespace brokerlab
