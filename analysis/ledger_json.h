#pragma once

#include "analysis/ledger.h"

namespace brokerlab {

// The ledger as it stands in a result. `by_design`: how many of the lost a declared fault explains, and why.
struct ExplainedLoss {
  std::int64_t messages = 0;
  std::vector<std::string> reasons;
};

Json ledger_json(const LedgerAccount& account, const std::vector<QueueEvidence>& queues,
                 const ExplainedLoss& by_design);

}  // namespace brokerlab
