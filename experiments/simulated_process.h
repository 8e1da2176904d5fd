#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/simulated_broker.h"
#include "broker/virtual_time.h"
#include "core/event_log.h"
#include "core/recording.h"
#include "experiments/plan.h"
#include "experiments/simulated_messages.h"
#include "roles/hindrance.h"

namespace brokerlab {

// What everybody in a simulated run shares. Outlives them all.
struct SimulatedWorld {
  VirtualTime& time;
  SimulatedBroker& broker;
  SimulatedMessages& messages;
  StepClock send;
  StepClock overshoot;
  std::uint64_t seed = 1;
  std::uint64_t run_number = 0;
  bool keeps_contents = false;  // some role looks at bodies or keys
};

// One process of a simulated run: its recording, exactly as a real one writes it, and what faults have made
// of it. One thread.
class SimulatedProcess {
 public:
  SimulatedProcess(const PlannedProcess& planned, std::string name, const Json& assignment);

  const PlannedProcess& planned() const { return planned_; }
  const std::string& name() const { return name_; }
  RecordingWriter& recording() { return *recording_; }
  EventLog& events() { return *events_; }

  // Hangs as by SIGSTOP: whatever comes in waits until it goes on.
  void pause() { paused_ = true; }
  void resume();
  // Runs `act` now, or when the process goes on; never once it is dead.
  template <class Act>
  void when_running(Act&& act) {
    if (dead_) return;
    if (paused_) {
      later_.emplace_back(std::forward<Act>(act));
    } else {
      act();
    }
  }

  // By SIGKILL: its recording stays as it is.
  void kill();
  bool dead() const { return dead_; }
  // Its work is over: the recording is complete.
  void close() { recording_->close(); }

  Hindrance hindrance;

 private:
  const PlannedProcess& planned_;
  std::string name_;
  std::unique_ptr<RecordingWriter> recording_;
  std::unique_ptr<EventLog> events_;
  std::vector<std::function<void()>> later_;
  bool paused_ = false;
  bool dead_ = false;
};

}  // namespace brokerlab
