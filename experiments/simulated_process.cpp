#include "experiments/simulated_process.h"

#include "core/child_run.h"

namespace brokerlab {

SimulatedProcess::SimulatedProcess(const PlannedProcess& planned, std::string name, const Json& assignment)
    : planned_(planned),
      name_(std::move(name)),
      recording_(std::make_unique<RecordingWriter>(assignment.at("recording").get<std::string>(),
                                                   recording_header(assignment))),
      events_(std::make_unique<EventLog>(*recording_)) {}

void SimulatedProcess::resume() {
  paused_ = false;
  for (const auto& act : std::exchange(later_, {})) when_running(act);
}

void SimulatedProcess::kill() {
  dead_ = true;
  later_.clear();
  events_.reset();
  recording_.reset();  // without the mark of completeness
}

}  // namespace brokerlab
