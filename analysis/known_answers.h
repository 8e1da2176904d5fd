#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// A figure whose true value is known before the run, beside what the run measured. Cases, values and
// tolerances are those of docs/metrics.md, "Known answers"; a tolerance is never widened to make a machine
// pass.
struct KnownAnswer {
  enum class Rule { kExact, kWithinShare, kWithin, kAtMost, kAtLeast };

  std::string name;  // of the case: "S1"
  std::string what;
  std::string unit;  // "ms", "/s", or nothing for a count or a ratio
  Rule rule = Rule::kExact;
  double expected = 0;
  double tolerance = 0;            // a share of `expected`, or in its unit; unused by the other rules
  std::optional<double> measured;  // nothing: the run did not measure it, which is no pass

  bool ok() const;
  std::string expected_text() const;   // "900 ms", "at most 2 ms"
  std::string tolerance_text() const;  // "3 %", "exact"
  std::string measured_text() const;
};

// An experiment of the catalogue whose runs have known answers; `variant`: only that one is needed.
struct KnownAnswerExperiment {
  std::string_view experiment;
  std::string_view variant;
};

// In the order in which they are best run: those that need the same broker follow each other.
std::span<const KnownAnswerExperiment> known_answer_experiments();

// The answers that the result of one of them gives; nothing for any other experiment. A missing variant or
// figure gives an answer that is not measured.
std::vector<KnownAnswer> known_answers(const Json& result);

// {case, what, unit, rule, expected, tolerance?, measured, ok}
Json to_json(const KnownAnswer& answer);

}  // namespace brokerlab
