#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/precise_timer.h"
#include "experiments/fault.h"
#include "experiments/plan.h"

namespace brokerlab {

// Lets every fault strike when it is due, ends it when it is over, keeps the record of both, and heals
// whatever still lasts, however the run ends. What a fault does is its effect's business. One loop.
class FaultSchedule {
 public:
  // Throws Error when the run has not got what a fault needs.
  FaultSchedule(uv_loop_t* loop, const Clock& clock, FaultTargets& targets,
                const std::vector<PlannedFault>& faults);
  ~FaultSchedule();

  void start(Nanoseconds t0);
  // The run is over: undoes what was done and forgets what has not begun. Safe to call twice.
  void heal();
  // Nothing is broken that will heal by itself: no fault with an end to come, no restart under way.
  bool quiet() const;
  // Nothing is being undone any more.
  bool settled() const;

  // [{"kind", "target", "mode", "processes", "process", "scheduled_at_ns", "scheduled_end_ns" (both from the
  // start of the load), "started_ns", "ended_ns" (instants of CLOCK_MONOTONIC, null for what did not happen),
  // "not_done", "details"}].
  Json report() const;

 private:
  enum class Step {
    kWaiting,    // for its time
    kBeginning,  // begun, not in force yet
    kLasting,    // in force; it has an end to come, or ends with the run
    kEnding,     // being undone
    kOver,
  };
  struct Strike {
    PlannedFault fault;
    std::unique_ptr<FaultEffect> effect;
    std::unique_ptr<PreciseTimer> timer;
    Step step = Step::kWaiting;
    Nanoseconds started_ns = 0;
    Nanoseconds ended_ns = 0;
    std::string not_done;  // why it could not be done, else empty
  };

  void fire(Strike& strike);
  void begin(Strike& strike);
  void check_in_force(Strike& strike);
  void end(Strike& strike);
  void check_settled(Strike& strike);
  void heal(Strike& strike);
  void give_up(Strike& strike, const std::string& why);
  void complain(const Strike& strike, const std::string& why);

  uv_loop_t* loop_;
  const Clock& clock_;
  FaultTargets& targets_;
  std::vector<std::unique_ptr<Strike>> strikes_;
};

}  // namespace brokerlab
