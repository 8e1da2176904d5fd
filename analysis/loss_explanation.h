#pragma once

#include "analysis/ledger_json.h"
#include "analysis/recorded_run.h"

namespace brokerlab {

// How much of what was lost the experiment itself asked for: a declared fault that met automatic
// acknowledgement, transient messages or a queue that does not survive; or a queue whose arguments let the
// broker drop messages. Told queue by queue: nobody can say which message of a socket's buffer a killed
// process had already been sent.
ExplainedLoss explain_loss(const LedgerAccount& account, const RecordedRun& run);

}  // namespace brokerlab
