#include "experiments/fault_schedule.h"

#include <csignal>

#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kBrokerPollInterval = 100'000'000;

int signal_of(const std::string& kind) {
  if (kind == "kill") return SIGKILL;
  return kind == "pause" ? SIGSTOP : SIGTERM;
}

std::size_t node_of(const PlannedFault& fault) { return static_cast<std::size_t>(fault.instance); }

Json instant(Nanoseconds at) { return at == 0 ? Json(nullptr) : Json(at); }

}  // namespace

FaultSchedule::FaultSchedule(uv_loop_t* loop, const Clock& clock, FaultTargets& targets,
                             const std::vector<PlannedFault>& faults)
    : loop_(loop), clock_(clock), targets_(targets) {
  for (const PlannedFault& fault : faults) {
    auto entry = std::make_unique<Entry>();
    entry->fault = fault;
    Entry* raw = entry.get();
    entry->timer = std::make_unique<PreciseTimer>(loop_, [this, raw] { fire(*raw); });
    entries_.push_back(std::move(entry));
  }
}

FaultSchedule::~FaultSchedule() {
  for (const auto& entry : entries_) entry->timer->close();
}

void FaultSchedule::start(Nanoseconds t0) {
  for (const auto& entry : entries_) {
    entry->timer->set(t0 + entry->fault.at_ns);
  }
}

void FaultSchedule::fire(Entry& entry) {
  switch (entry.step) {
    case Entry::Step::kWaiting:
      return begin(entry);
    case Entry::Step::kLasting:
      return entry.fault.kind == "pause" ? end_pause(entry) : restart(entry);
    case Entry::Step::kRestarting:
      // Only the broker is waited for: a restarted process reports by itself.
      if (targets_.private_broker()->accepting(node_of(entry.fault))) return finish(entry);
      return entry.timer->set(clock_.now() + kBrokerPollInterval);
    case Entry::Step::kOver:
      return;
  }
}

void FaultSchedule::begin(Entry& entry) {
  entry.started_ns = clock_.now();
  const bool hit = entry.fault.target == "broker" ? hit_broker(entry) : hit_processes(entry);
  if (!hit) {
    entry.step = Entry::Step::kOver;
    entry.started_ns = 0;
    targets_.notice("fault " + entry.fault.kind + " of " + entry.fault.target +
                    " not done: " + entry.outcome);
    return;
  }
  targets_.notice("fault: " + entry.fault.kind + " of " + entry.fault.target);
  entry.step = Entry::Step::kLasting;
  if (entry.fault.kind == "pause") {
    if (entry.fault.duration_ns) entry.timer->set(entry.started_ns + *entry.fault.duration_ns);
  } else if (entry.fault.restart_after_ns) {
    entry.timer->set(entry.started_ns + *entry.fault.restart_after_ns);
  } else {
    finish(entry);
  }
}

bool FaultSchedule::hit_broker(Entry& entry) {
  PrivateBroker* broker = targets_.private_broker();
  if (broker == nullptr) {
    entry.outcome = "the broker is not ours";
    return false;
  }
  try {
    if (entry.fault.kind == "pause") {
      broker->pause(node_of(entry.fault));
    } else if (entry.fault.kind == "kill") {
      broker->kill(node_of(entry.fault));
    } else {
      broker->terminate(node_of(entry.fault));
    }
  } catch (const Error& error) {
    entry.outcome = error.summary();
    return false;
  }
  return true;
}

bool FaultSchedule::hit_processes(Entry& entry) {
  bool any = false;
  for (const std::string& process : entry.fault.processes) {
    any |= targets_.signal_process(process, signal_of(entry.fault.kind));
  }
  if (!any) entry.outcome = "no such process is alive";
  return any;
}

void FaultSchedule::end_pause(Entry& entry) {
  if (entry.fault.target == "broker") {
    targets_.private_broker()->resume(node_of(entry.fault));
  } else {
    for (const std::string& process : entry.fault.processes) targets_.signal_process(process, SIGCONT);
  }
  finish(entry);
  targets_.notice("fault over: " + entry.fault.target + " goes on after " +
                  format_duration(entry.ended_ns - entry.started_ns));
}

void FaultSchedule::restart(Entry& entry) {
  if (entry.fault.target != "broker") {
    for (const std::string& process : entry.fault.processes) targets_.restart_process(process);
    return finish(entry);
  }
  if (targets_.private_broker()->running(node_of(entry.fault))) {  // an orderly shutdown takes seconds
    return entry.timer->set(clock_.now() + kBrokerPollInterval);
  }
  targets_.private_broker()->restart(node_of(entry.fault));
  entry.step = Entry::Step::kRestarting;
  entry.timer->set(clock_.now() + kBrokerPollInterval);
}

void FaultSchedule::finish(Entry& entry) {
  entry.ended_ns = clock_.now();
  entry.step = Entry::Step::kOver;
}

void FaultSchedule::heal() {
  for (const auto& entry : entries_) {
    entry->timer->cancel();
    if (entry->step == Entry::Step::kLasting && entry->fault.kind == "pause") end_pause(*entry);
    entry->step = Entry::Step::kOver;
  }
}

bool FaultSchedule::quiet() const {
  for (const auto& entry : entries_) {
    const bool ends_by_itself = entry->fault.kind != "pause" || entry->fault.duration_ns.has_value();
    if (entry->step == Entry::Step::kRestarting) return false;
    if (entry->step == Entry::Step::kLasting && ends_by_itself) return false;
  }
  return true;
}

Json FaultSchedule::report() const {
  Json report = Json::array();
  for (const auto& entry : entries_) {
    Json item = {{"kind", entry->fault.kind},
                 {"target", entry->fault.target},
                 {"mode", entry->fault.mode},
                 {"processes", entry->fault.processes},
                 {"scheduled_at_ns", entry->fault.at_ns},
                 {"started_ns", instant(entry->started_ns)},
                 {"ended_ns", instant(entry->ended_ns)}};
    if (!entry->fault.processes.empty()) item["process"] = entry->fault.processes.front();
    if (!entry->outcome.empty()) item["not_done"] = entry->outcome;
    report.push_back(std::move(item));
  }
  return report;
}

}  // namespace brokerlab
