#pragma once

#include "analysis/accounting.h"

namespace brokerlab {

// What crossed the wire between the broker and all processes, and what of it each task cost. Messages are
// counted from the records, frames and bytes from the processes' counters; what no process counted is absent.
Json network_json(const RecordedRun& run, const RunAccounts& accounts);

// Share of all published messages that had no queue to go to; nothing when nothing was published.
std::optional<double> unroutable_share(const LedgerAccount& account);

}  // namespace brokerlab
