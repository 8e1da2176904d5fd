#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// One rate of a search, as tables show it. Texts are fit for display.
struct SearchRow {
  std::string variant;
  double rate_per_s = 0;
  std::string outcome;  // sustained, not sustained, undecided, "" for not decided yet
  std::size_t trials = 0, sustained = 0;
  std::optional<double> p50_ns, p99_ns;                 // of all of its trials together
  std::optional<double> delivered_per_s, growth_per_s;  // medians over its trials
  std::string reason;                                   // of its first trial that was not sustained
};

// Every rate of every variant, the lowest first; nothing where the result is of no search.
std::vector<SearchRow> search_rows(const Json& result);

// A sentence for each variant, and one for each trial that speaks against it: "quorum sustains 42,000/s with
// end_to_end.p99 < 50ms (p99 12 ms); at 44,000/s the backlog grew by 1,900/s, 4.3 % of what was published."
std::vector<std::string> search_sentences(const Json& result);

// The runs that a result rests on: of a search those at the sustained rates, else all of them. What went
// wrong in an overloaded trial is no doubt about what was found.
std::vector<const Json*> telling_runs(const Json& result);

}  // namespace brokerlab
