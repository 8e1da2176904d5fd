#include "experiments/process_fault.h"

#include <csignal>
#include <utility>

#include "core/error.h"

namespace brokerlab {
namespace {

class ProcessFault : public FaultEffect {
 public:
  ProcessFault(const PlannedFault& fault, FaultTargets& targets)
      : targets_(targets), processes_(fault.processes) {}

 protected:
  // Of several processes some may have ended before: those that are left are enough.
  template <class Strike>
  void strike(Strike&& each) {
    bool any = false;
    for (const std::string& process : processes_) any |= each(process);
    if (!any) throw Error("no such process is alive", "", "");
  }

  FaultTargets& targets_;
  const std::vector<std::string> processes_;
};

// SIGKILL or SIGTERM, and perhaps a new process in its place.
class ProcessEndFault final : public ProcessFault {
 public:
  ProcessEndFault(const PlannedFault& fault, FaultTargets& targets, int signal)
      : ProcessFault(fault, targets), signal_(signal) {}

  void begin() override {
    strike([this](const std::string& process) {
      targets_.expect_end(process);
      return targets_.signal_process(process, signal_);
    });
  }
  void end() override {
    for (const std::string& process : processes_) targets_.restart_process(process);
  }
  // A run that is over wants no new processes.
  void heal() override {}

 private:
  const int signal_;
};

class ProcessPause final : public ProcessFault {
 public:
  using ProcessFault::ProcessFault;

  void begin() override {
    strike([this](const std::string& process) {
      const bool paused = targets_.signal_process(process, SIGSTOP);
      if (paused) paused_.push_back(process);
      return paused;
    });
  }
  void end() override {
    for (const std::string& process : std::exchange(paused_, {})) targets_.signal_process(process, SIGCONT);
  }

 private:
  std::vector<std::string> paused_;
};

}  // namespace

std::unique_ptr<FaultEffect> make_process_fault(const PlannedFault& fault, FaultTargets& targets) {
  if (fault.target == "broker") return nullptr;
  if (fault.kind == "kill") return std::make_unique<ProcessEndFault>(fault, targets, SIGKILL);
  if (fault.kind == "stop") return std::make_unique<ProcessEndFault>(fault, targets, SIGTERM);
  if (fault.kind == "pause") return std::make_unique<ProcessPause>(fault, targets);
  return nullptr;
}

}  // namespace brokerlab
