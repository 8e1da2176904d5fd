#pragma once

#include "analysis/flags.h"
#include "analysis/ledger_json.h"
#include "analysis/pipeline.h"
#include "analysis/sharding.h"
#include "analysis/steady_part.h"
#include "analysis/timing.h"

namespace brokerlab {

struct RoutingAccounts {
  const PipelineAccount& pipeline;
  const ShardingAccount& sharding;
};

// Measures every flag that one run alone can tell. The thresholds and their reasons stand in flags.cpp.
FlagSet measure_flags(const RecordedRun& run, const RunAccounts& accounts, const RunTiming& timing,
                      const SteadyPart& steady, const RoutingAccounts& routing,
                      const ExplainedLoss& by_design);

}  // namespace brokerlab
