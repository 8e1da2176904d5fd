#pragma once

#include "analysis/ledger.h"
#include "analysis/recorded_run.h"

namespace brokerlab {

// The ledger as it stands in a result. `by_design`: how many of the lost a declared fault explains, and why.
struct ExplainedLoss {
  std::int64_t messages = 0;
  std::vector<std::string> reasons;
};

// {publisher, sequence, queue}; the queue only where it is known.
Json message_json(const MessageId& id, const RunEvidence& evidence);
Json messages_json(const std::vector<MessageId>& ids, const RunEvidence& evidence);

Json ledger_json(const LedgerAccount& account, const RecordedRun& run, const ExplainedLoss& by_design);

}  // namespace brokerlab
