#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/private_broker.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/precise_timer.h"
#include "experiments/plan.h"

namespace brokerlab {

// What the schedule may do to the processes of a run. Implemented by Run.
class FaultTargets {
 public:
  virtual ~FaultTargets() = default;
  // False when no such process is alive.
  virtual bool signal_process(const std::string& process, int signal) = 0;
  virtual void restart_process(const std::string& process) = 0;
  virtual PrivateBroker* private_broker() = 0;  // nullptr: not ours, so not to be broken
  virtual void notice(const std::string& text) = 0;
};

// Breaks things on schedule and heals them: every fault has a start and an end in its record, and heal()
// undoes what still lasts, however the run ends. One loop.
class FaultSchedule {
 public:
  FaultSchedule(uv_loop_t* loop, const Clock& clock, FaultTargets& targets,
                const std::vector<PlannedFault>& faults);
  ~FaultSchedule();

  void start(Nanoseconds t0);
  // Resumes what is paused and forgets what has not begun. Safe to call twice.
  void heal();
  // Nothing is broken that will heal by itself: no pause with an end, no restart under way.
  bool quiet() const;

  // [{"kind", "target", "mode", "processes", "process", "scheduled_at_ns" (from the start of the load),
  // "started_ns", "ended_ns" (instants of CLOCK_MONOTONIC, null for what did not happen)}].
  Json report() const;

 private:
  struct Entry {
    PlannedFault fault;
    Nanoseconds started_ns = 0;
    Nanoseconds ended_ns = 0;
    std::string outcome;  // why it could not be done, else empty
    std::unique_ptr<PreciseTimer> timer;
    enum class Step { kWaiting, kLasting, kRestarting, kOver } step = Step::kWaiting;
  };

  void fire(Entry& entry);
  void begin(Entry& entry);
  void end_pause(Entry& entry);
  void restart(Entry& entry);
  void finish(Entry& entry);
  bool hit_broker(Entry& entry);
  bool hit_processes(Entry& entry);

  uv_loop_t* loop_;
  const Clock& clock_;
  FaultTargets& targets_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace brokerlab
