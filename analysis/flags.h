#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// Every doubt a result can carry, declared once in the table of flags.cpp; docs/metrics.md lists the same
// table (a test compares). `unmeasured` is never a pass.
enum class FlagState { kPass, kFail, kUnmeasured };
enum class FlagSide { kAbove, kBelow };  // which side of the threshold is the failing one

struct FlagDeclaration {
  std::string_view name;
  std::string_view unit;  // "ns", "share", "messages", …
  double threshold;       // the default; GENERATOR_BOUND's grows with the measured latency
  FlagSide fails;
  bool fatal;               // a failure makes the measurement invalid
  std::string_view reason;  // what a failure means, for people
};

std::span<const FlagDeclaration> flag_declarations();
const FlagDeclaration& flag_declaration(std::string_view name);

// The flags of one run. Starts with everything unmeasured, so that none can be forgotten.
class FlagSet {
 public:
  FlagSet();

  // Measured: fails when `value` is beyond the threshold on the failing side.
  void measure(std::string_view name, double value);
  void measure(std::string_view name, double value, double threshold);
  // A flag with more than one condition: what else failed, in words; fails whatever the value is.
  void fail(std::string_view name, const std::string& detail);
  void explain(std::string_view name, const std::string& detail);

  FlagState state(std::string_view name) const;
  std::optional<double> value(std::string_view name) const;
  // [{name, value?, threshold, unit, fails, fatal, state, reason, detail?}]
  Json to_json() const;
  static FlagSet from_json(const Json& flags);

 private:
  struct Entry {
    std::optional<double> value;
    double threshold = 0;
    FlagState state = FlagState::kUnmeasured;
    std::string detail;
  };
  Entry& entry(std::string_view name);
  const Entry& entry(std::string_view name) const;

  std::vector<Entry> entries_;  // parallel to flag_declarations()
};

std::string_view to_text(FlagState state);

// Whether the broker of this run, an entry of a result, was none.
bool is_simulated(const Json& run);

}  // namespace brokerlab
