#pragma once

#include <uv.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/management.h"
#include "broker/private_broker.h"
#include "core/clock.h"
#include "core/json.h"
#include "experiments/network_paths.h"
#include "experiments/plan.h"

namespace brokerlab {

// What faults may do to a run. Implemented by Run; outlives every effect.
class FaultTargets {
 public:
  virtual ~FaultTargets() = default;
  virtual uv_loop_t* loop() = 0;
  virtual const Clock& clock() const = 0;

  // Both false when no such process is alive.
  virtual bool signal_process(const std::string& process, int signal) = 0;
  virtual bool tell_process(const std::string& process, const Json& line) = 0;
  virtual void restart_process(const std::string& process) = 0;
  // What is done now ends the process: that is no failure of the run.
  virtual void expect_end(const std::string& process) = 0;
  // A queue that is deleted on purpose need not be drained.
  virtual void expect_deletion(const std::string& queue) = 0;
  // Under which the broker knows the connections of the process.
  virtual std::string connection_name(const std::string& process) = 0;

  virtual PrivateBroker* private_broker() = 0;  // nullptr: not ours
  virtual Management* management() = 0;         // nullptr where the API cannot be reached or used
  virtual std::vector<std::string> broker_uris() const = 0;  // of every node: secrets
  virtual NetworkPaths& network() = 0;
  virtual bool tls_insecure() const = 0;

  virtual void notice(const std::string& text) = 0;
};

// One strike of one fault: what it does, how that is undone, and when either has come into force. Made before
// the load starts, used once. Nothing here blocks for longer than some milliseconds: what takes time is begun
// here and asked for by in_force() and settled(), which the schedule calls again until they are true. On the
// loop of its targets.
class FaultEffect {
 public:
  virtual ~FaultEffect() = default;

  // Throws Error when it cannot be done; heal() follows then, in case half of it was.
  virtual void begin() = 0;
  // What begin() began is done. Throws Error when that proves impossible; heal() follows then.
  virtual bool in_force() { return true; }
  // Once in force: when it began to hit, where the effect knows that better than who asks it from time to
  // time.
  virtual std::optional<Nanoseconds> struck() const { return std::nullopt; }

  // Its end as declared: after `duration` or `restart_after`. Not called for what is over at once. Throws
  // Error.
  virtual void end() {}
  // The run is over: leaves nothing broken, whatever came before; after end(), and a second time, it does
  // nothing more. Throws Error.
  virtual void heal() { end(); }
  // What end() or heal() began is done: all is as it was before. Throws Error when that proves impossible.
  virtual bool settled() { return true; }

  // What a reader of the result should know of it: the nodes it hit, how many connections. An object.
  virtual Json details() const { return Json::object(); }
};

// The effect of a kind that fault_kinds() lists. Throws Error when the run has not got what the kind needs.
// Families of kinds have a factory each (process_fault.h, …) that returns nullptr for a kind that is none of
// theirs; here they are asked in turn.
std::unique_ptr<FaultEffect> make_fault(const PlannedFault& fault, FaultTargets& targets);

}  // namespace brokerlab
