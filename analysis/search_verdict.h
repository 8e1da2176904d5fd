#pragma once

#include "analysis/verdict.h"
#include "core/json.h"

namespace brokerlab {

// What a search is worth. A trial that was not sustained has shown what it was to show: that its queues were
// not drained is no doubt about the measurement. What remains are accounts that do not balance and losses
// that nothing explains, in any trial; doubts about sustained trials; and a search in which nothing could be
// told.
Verdict judge_search(const Json& runs, const Json& search);

}  // namespace brokerlab
