#include "experiments/simulated_faults.h"

#include <algorithm>
#include <optional>

#include "core/units.h"

namespace brokerlab {

SimulatedFaults::SimulatedFaults(const std::vector<PlannedFault>& faults, Nanoseconds t0_ns,
                                 SimulatedTargets& targets)
    : targets_(targets) {
  for (const PlannedFault& fault : faults) strikes_.push_back({fault, t0_ns + fault.at_ns, 0, 0, ""});
}

SimulatedFaults::Strike* SimulatedFaults::next_strike() {
  Strike* next = nullptr;
  for (Strike& strike : strikes_) {
    if (strike.next_ns != 0 && (next == nullptr || strike.next_ns < next->next_ns)) next = &strike;
  }
  return next;
}

std::optional<Nanoseconds> SimulatedFaults::next() const {
  const Strike* strike = const_cast<SimulatedFaults*>(this)->next_strike();
  return strike != nullptr ? std::optional(strike->next_ns) : std::nullopt;
}

void SimulatedFaults::happen() {
  Strike* strike = next_strike();
  if (strike->started_ns == 0) {
    begin(*strike);
  } else {
    end(*strike);
  }
}

bool SimulatedFaults::set(const PlannedFault& fault, bool on) {
  if (fault.target == "broker") {
    targets_.pause_broker(on);
    return true;
  }
  const double factor = on ? fault.settings.value("factor", 1.0) : 1.0;
  const Nanoseconds add_ns = on && fault.settings.contains("add") ? parse_duration(fault.settings["add"]) : 0;
  bool any = false;
  for (const std::string& process : fault.processes) {
    if (fault.kind == "kill") any |= targets_.kill(process);
    if (fault.kind == "pause") any |= targets_.pause(process, on);
    if (fault.kind == "hang") any |= targets_.hang(process, on);
    if (fault.kind == "slow") any |= targets_.slow(process, factor, add_ns);
  }
  return any;
}

void SimulatedFaults::begin(Strike& strike) {
  const std::string name = strike.fault.kind + " of " + strike.fault.target;
  strike.next_ns = 0;
  if (!set(strike.fault, true)) {
    strike.not_done = "no such process is alive";
    return targets_.notice("fault " + name + " not done: " + strike.not_done);
  }
  targets_.notice("fault: " + name);
  strike.started_ns = targets_.now();
  if (const auto lasts = strike.fault.lasts_ns()) {
    strike.next_ns = strike.started_ns + *lasts;
  } else {
    strike.ended_ns = strike.started_ns;
  }
}

void SimulatedFaults::end(Strike& strike) {
  strike.next_ns = 0;
  strike.ended_ns = targets_.now();
  if (strike.fault.kind == "kill") {
    for (const std::string& process : strike.fault.processes) targets_.restart(process);
  } else {
    set(strike.fault, false);
  }
  targets_.notice("fault over: " + strike.fault.kind + " of " + strike.fault.target + " after " +
                  format_duration(strike.ended_ns - strike.started_ns));
}

bool SimulatedFaults::lasts() const {
  return std::any_of(strikes_.begin(), strikes_.end(),
                     [](const Strike& strike) { return strike.started_ns != 0 && strike.next_ns != 0; });
}

void SimulatedFaults::heal() {
  for (Strike& strike : strikes_) {
    const bool begun = strike.started_ns != 0 && strike.next_ns != 0;
    strike.next_ns = 0;
    // The process that was to come back comes no more: that fault has no end.
    if (begun && strike.fault.kind != "kill") end(strike);
  }
}

Json SimulatedFaults::report() const {
  Json report = Json::array();
  const auto instant = [](Nanoseconds at) { return at == 0 ? Json(nullptr) : Json(at); };
  for (const Strike& strike : strikes_) {
    const PlannedFault& fault = strike.fault;
    Json item = {{"kind", fault.kind},
                 {"target", fault.target},
                 {"mode", fault.mode},
                 {"processes", fault.processes},
                 {"scheduled_at_ns", fault.at_ns},
                 {"started_ns", instant(strike.started_ns)},
                 {"ended_ns", instant(strike.ended_ns)}};
    if (const auto lasts = fault.lasts_ns()) item["scheduled_end_ns"] = fault.at_ns + *lasts;
    if (!fault.processes.empty()) item["process"] = fault.processes.front();
    if (!strike.not_done.empty()) item["not_done"] = strike.not_done;
    report.push_back(std::move(item));
  }
  return report;
}

}  // namespace brokerlab
