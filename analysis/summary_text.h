#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

struct SummaryTextOptions {
  bool colour = false;
  int columns = 80;
};

// The end-of-run summary for a terminal: at most 23 lines of 80 columns. One run: rates, latency percentiles,
// fairness, ledger, verdict and warnings. Several variants: a table of their headline figures (medians over
// repetitions) and the warnings. Control characters of names are neutralised.
std::string summary_text(const Json& result, const SummaryTextOptions& options = {});
// The same for one entry of `runs`, as printed while further runs are to come.
std::string run_summary_text(const Json& run, const SummaryTextOptions& options = {});
// "the generator was the bottleneck (send_delay p99 12.0 ms)": one line per failed flag, worst first.
std::vector<std::string> warnings_of(const Json& run);

}  // namespace brokerlab
