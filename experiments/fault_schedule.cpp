#include "experiments/fault_schedule.h"

#include "core/error.h"
#include "core/units.h"
#include "experiments/fault_kind.h"

namespace brokerlab {
namespace {

// How late the record may be about a fault that takes time to come into force.
constexpr Nanoseconds kBeginPoll = 2'000'000;
constexpr Nanoseconds kEndPoll = 20'000'000;

Json instant(Nanoseconds at) { return at == 0 ? Json(nullptr) : Json(at); }

}  // namespace

FaultSchedule::FaultSchedule(uv_loop_t* loop, const Clock& clock, FaultTargets& targets,
                             const std::vector<PlannedFault>& faults)
    : loop_(loop), clock_(clock), targets_(targets) {
  for (const PlannedFault& fault : faults) {
    auto strike = std::make_unique<Strike>();
    strike->fault = fault;
    strike->effect = make_fault(fault, targets_);
    strikes_.push_back(std::move(strike));
  }
  // Only now: a timer that was made must be closed and its loop run.
  for (const auto& strike : strikes_) {
    strike->timer = std::make_unique<PreciseTimer>(loop_, [this, raw = strike.get()] { fire(*raw); });
  }
}

FaultSchedule::~FaultSchedule() {
  for (const auto& strike : strikes_) strike->timer->close();
}

void FaultSchedule::start(Nanoseconds t0) {
  for (const auto& strike : strikes_) strike->timer->set(t0 + strike->fault.at_ns);
}

void FaultSchedule::fire(Strike& strike) {
  try {
    switch (strike.step) {
      case Step::kWaiting:
        return begin(strike);
      case Step::kBeginning:
        return check_in_force(strike);
      case Step::kLasting:
        return end(strike);
      case Step::kEnding:
        return check_settled(strike);
      case Step::kOver:
        return;
    }
  } catch (const Error& error) {
    const bool begun = strike.step == Step::kLasting || strike.step == Step::kEnding;
    if (!begun) return give_up(strike, error.summary());
    strike.step = Step::kOver;
    complain(strike, "was not undone: " + error.summary());
  }
}

void FaultSchedule::begin(Strike& strike) {
  strike.started_ns = clock_.now();
  strike.step = Step::kBeginning;
  strike.effect->begin();
  check_in_force(strike);
}

void FaultSchedule::check_in_force(Strike& strike) {
  const Nanoseconds now = clock_.now();
  if (!strike.effect->in_force()) {
    // What follows from it is never dated before it: the last moment at which it was not in force.
    strike.started_ns = now;
    return strike.timer->set(now + kBeginPoll);
  }
  if (const auto struck = strike.effect->struck()) strike.started_ns = *struck;
  targets_.notice("fault: " + strike.fault.kind + " of " + strike.fault.target);
  strike.step = Step::kLasting;
  if (const auto lasts = strike.fault.lasts_ns()) return strike.timer->set(strike.started_ns + *lasts);
  // Without an end of its own it ends with the run.
  if (fault_kind(strike.fault.kind)->end == FaultKind::End::kDuration) return;
  strike.ended_ns = clock_.now();
  strike.step = Step::kOver;
}

void FaultSchedule::end(Strike& strike) {
  strike.step = Step::kEnding;
  strike.effect->end();
  check_settled(strike);
}

void FaultSchedule::check_settled(Strike& strike) {
  if (!strike.effect->settled()) return strike.timer->set(clock_.now() + kEndPoll);
  strike.step = Step::kOver;
  if (strike.ended_ns != 0) return;  // it was over before, and only left something to put right
  strike.ended_ns = clock_.now();
  targets_.notice("fault over: " + strike.fault.kind + " of " + strike.fault.target + " after " +
                  format_duration(strike.ended_ns - strike.started_ns));
}

void FaultSchedule::give_up(Strike& strike, const std::string& why) {
  strike.not_done = why;
  strike.started_ns = 0;
  strike.step = Step::kOver;
  complain(strike, "not done: " + why);
  try {
    strike.effect->heal();
  } catch (const Error& error) {
    complain(strike, "was not undone: " + error.summary());
  }
}

void FaultSchedule::complain(const Strike& strike, const std::string& why) {
  targets_.notice("fault " + strike.fault.kind + " of " + strike.fault.target + " " + why);
}

void FaultSchedule::heal() {
  for (const auto& strike : strikes_) heal(*strike);
}

void FaultSchedule::heal(Strike& strike) {
  strike.timer->cancel();
  const bool begun = strike.step != Step::kWaiting && strike.not_done.empty() && strike.started_ns != 0;
  if (!begun) {
    strike.step = Step::kOver;
    return;
  }
  try {
    strike.effect->heal();
    // The process that was to come back comes no more: this fault has no end.
    const bool missed =
        strike.step == Step::kLasting && strike.fault.restart_after_ns && !strike.fault.processes.empty();
    strike.step = missed ? Step::kOver : Step::kEnding;
    if (missed) return;
    check_settled(strike);
  } catch (const Error& error) {
    strike.step = Step::kOver;
    complain(strike, "was not undone: " + error.summary());
  }
}

bool FaultSchedule::quiet() const {
  for (const auto& strike : strikes_) {
    if (strike->step == Step::kBeginning || strike->step == Step::kEnding) return false;
    if (strike->step == Step::kLasting && strike->fault.lasts_ns()) return false;
  }
  return true;
}

bool FaultSchedule::settled() const {
  for (const auto& strike : strikes_) {
    if (strike->step == Step::kEnding) return false;
  }
  return true;
}

Json FaultSchedule::report() const {
  Json report = Json::array();
  for (const auto& strike : strikes_) {
    const PlannedFault& fault = strike->fault;
    Json item = {{"kind", fault.kind},
                 {"target", fault.target},
                 {"mode", fault.mode},
                 {"processes", fault.processes},
                 {"scheduled_at_ns", fault.at_ns},
                 {"started_ns", instant(strike->started_ns)},
                 {"ended_ns", instant(strike->ended_ns)}};
    if (const auto lasts = fault.lasts_ns()) item["scheduled_end_ns"] = fault.at_ns + *lasts;
    if (!fault.processes.empty()) item["process"] = fault.processes.front();
    if (!strike->not_done.empty()) item["not_done"] = strike->not_done;
    if (Json details = strike->effect->details(); !details.empty()) item["details"] = std::move(details);
    report.push_back(std::move(item));
  }
  return report;
}

}  // namespace brokerlab
