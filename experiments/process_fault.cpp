#include "experiments/process_fault.h"

#include <csignal>
#include <utility>

#include "core/error.h"
#include "core/units.h"

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

// The process is told to misbehave, and later that this is enough.
class ProcessOrder final : public ProcessFault {
 public:
  ProcessOrder(const PlannedFault& fault, FaultTargets& targets, Json misbehave, Json behave)
      : ProcessFault(fault, targets), misbehave_(std::move(misbehave)), behave_(std::move(behave)) {}

  void begin() override {
    strike([this](const std::string& process) {
      const bool told = targets_.tell_process(process, misbehave_);
      if (told) told_.push_back(process);
      return told;
    });
  }
  void end() override {
    for (const std::string& process : std::exchange(told_, {})) targets_.tell_process(process, behave_);
  }

 private:
  const Json misbehave_, behave_;
  std::vector<std::string> told_;
};

Json slowness(double factor, Nanoseconds add_ns) {
  return {{"slow", {{"factor", factor}, {"add_ns", add_ns}}}};
}

std::unique_ptr<FaultEffect> make_slow(const PlannedFault& fault, FaultTargets& targets) {
  const Nanoseconds add_ns = fault.settings.contains("add") ? parse_duration(fault.settings["add"]) : 0;
  return std::make_unique<ProcessOrder>(fault, targets, slowness(fault.settings.value("factor", 1.0), add_ns),
                                        slowness(1.0, 0));
}

}  // namespace

std::unique_ptr<FaultEffect> make_process_fault(const PlannedFault& fault, FaultTargets& targets) {
  if (fault.target == "broker") return nullptr;
  if (fault.kind == "kill") return std::make_unique<ProcessEndFault>(fault, targets, SIGKILL);
  if (fault.kind == "stop") return std::make_unique<ProcessEndFault>(fault, targets, SIGTERM);
  if (fault.kind == "pause") return std::make_unique<ProcessPause>(fault, targets);
  if (fault.kind == "slow") return make_slow(fault, targets);
  if (fault.kind == "hang") {
    return std::make_unique<ProcessOrder>(fault, targets, Json{{"hang", true}}, Json{{"hang", false}});
  }
  return nullptr;
}

}  // namespace brokerlab
