#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace brokerlab {

struct PlannedRun;

// What is known of a kind of fault before any run: what it can hit, how it ends, and what it asks of the
// broker. The one table that the check of an experiment file, the plan and the run go by; what a kind does is
// a FaultEffect (experiments/fault.h).
struct FaultKind {
  enum Target : unsigned { kLoad = 1, kRole = 2, kBroker = 4, kQueue = 8, kAll = 16 };
  enum class End {
    kAtOnce,    // over as soon as it is done
    kDuration,  // lasts for `duration`, which must be there
    kRestart,   // what it ended starts again after `restart_after`, if that is there
  };
  enum class Broker {
    kAny,      // it is left alone
    kAllowed,  // done to it by means that any user has: on a broker that is not ours only with --allow-faults
    kOurs,     // only one that we started
  };

  std::string_view name;
  unsigned targets;
  End end;
  Broker broker;
  std::size_t nodes = 1;  // that the broker must have at least

  // kOurs of a kind that can hit processes, too, is meant for the target "broker".
  Broker broker_for(const std::string& target) const;
};

const std::vector<FaultKind>& fault_kinds();
const FaultKind* fault_kind(const std::string& name);  // nullptr: none of that name

// Throws Error (kUsage) when `run` would break a broker that is not ours: never by kinds that need one of
// ours, by the others only where the user has `allowed` it.
void refuse_faults_on_foreign_broker(const PlannedRun& run, bool allowed);

}  // namespace brokerlab
