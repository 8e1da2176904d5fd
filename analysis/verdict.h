#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// What the measurement is worth. It judges the measurement, not the broker: a declared crash of a worker with
// automatic acknowledgement that loses messages is a valid measurement of a loss (docs/result.md, "Verdict").
// valid: everything balanced, the drain was full, every recording is whole or its process was killed on
// purpose. invalid: a fatal flag failed, or a message was delivered that nobody sent, or not as it was sent.
// unknown: it cannot be told: no full drain, a process died by itself, a recording is missing, the run was
// aborted.
enum class VerdictStatus { kValid, kUnknown, kInvalid };  // in the order of badness

struct Verdict {
  VerdictStatus status = VerdictStatus::kValid;
  std::vector<std::string> reasons;  // empty only when valid

  void worsen(VerdictStatus to, std::string reason);
  Json to_json() const;  // {status, reasons[]}
};

class FlagSet;

struct VerdictInput {
  bool drained = false;
  std::string drain_reason;
  bool aborted = false;
  std::string stopped_by;                          // why, when it was not a person
  std::vector<std::string> dead_processes;         // ended by neither themselves nor a declared fault
  std::vector<std::string> unreadable_recordings;  // missing, broken or cut short without a declared fault
  std::int64_t unexpected = 0;
  std::int64_t corrupted = 0;  // and no declared fault alters what passes
  std::int64_t published = 0;
  std::int64_t operations = 0;  // of a churn
};

Verdict judge(const VerdictInput& input, const FlagSet& flags);

// The worst verdict of the runs, reasons prefixed by variant and repetition. No runs at all: unknown.
Verdict judge_all(const Json& runs);

}  // namespace brokerlab
