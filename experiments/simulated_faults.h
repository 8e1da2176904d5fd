#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "experiments/plan.h"

namespace brokerlab {

// What simulated faults may do to a run. Implemented by SimulatedRun.
class SimulatedTargets {
 public:
  virtual ~SimulatedTargets() = default;
  virtual Nanoseconds now() const = 0;
  // All false when no such process is alive.
  virtual bool kill(const std::string& process) = 0;
  virtual bool pause(const std::string& process, bool paused) = 0;
  virtual bool hang(const std::string& process, bool hangs) = 0;
  virtual bool slow(const std::string& process, double factor, Nanoseconds add_ns) = 0;
  virtual void restart(const std::string& process) = 0;
  virtual void pause_broker(bool paused) = 0;
  virtual void notice(const std::string& text) = 0;
};

// The declared faults of a simulated run, of the kinds that refuse_what_is_not_simulated() lets through: what
// strikes and ends when, and the record of both, in the form of experiments/fault_schedule.h. The run asks
// what is next and lets it happen. One thread.
class SimulatedFaults {
 public:
  SimulatedFaults(const std::vector<PlannedFault>& faults, Nanoseconds t0_ns, SimulatedTargets& targets);

  // Nothing when nothing is to come.
  std::optional<Nanoseconds> next() const;
  void happen();
  // Something is broken that will heal by itself.
  bool lasts() const;
  // The run is over: what was begun ends, what was not is forgotten.
  void heal();

  Json report() const;

 private:
  struct Strike {
    PlannedFault fault;
    Nanoseconds next_ns = 0;  // begins, then ends; 0: nothing more to come
    Nanoseconds started_ns = 0, ended_ns = 0;
    std::string not_done;
  };

  Strike* next_strike();
  void begin(Strike& strike);
  void end(Strike& strike);
  bool set(const PlannedFault& fault, bool on);

  SimulatedTargets& targets_;
  std::vector<Strike> strikes_;
};

}  // namespace brokerlab
