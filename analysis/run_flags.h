#pragma once

#include "analysis/flags.h"
#include "analysis/ledger_json.h"
#include "analysis/pipeline.h"
#include "analysis/timing.h"

namespace brokerlab {

// Measures every flag that one run alone can tell. The thresholds and their reasons stand in flags.cpp.
FlagSet measure_flags(const RecordedRun& run, const RunAccounts& accounts, const RunTiming& timing,
                      const PipelineAccount& pipeline, const ExplainedLoss& by_design);

}  // namespace brokerlab
