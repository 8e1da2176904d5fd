#include "experiments/simulated_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "core/error.h"
#include "core/units.h"
#include "experiments/run_evidence.h"
#include "experiments/simulated_entry.h"
#include "experiments/simulated_limits.h"

namespace brokerlab {
namespace {

// Virtual time begins at 0, where everybody subscribes; a recording takes 0 for "did not happen".
constexpr Nanoseconds kStart = kNanosecondsPerSecond;
constexpr Nanoseconds kFirst = 1;
// As long as a real run waits for a process that was told to stop.
constexpr Nanoseconds kStopLimit = 15 * kNanosecondsPerSecond;
constexpr std::uint64_t kEventsBetweenLooks = 1 << 16;
// More than any burst makes in a microsecond: this is a circle.
constexpr Nanoseconds kAnInstant = 1'000;
constexpr std::uint64_t kMostEventsAtOnce = 100'000'000;

bool looks_at_contents(const PlannedRun& plan) {
  const Json& roles = plan.experiment.at("roles");
  return std::any_of(roles.begin(), roles.end(), [](const Json& entry) {
    const RoleSpec spec = RoleSpec::from_json(entry);
    return spec.looks_at_body() || spec.record_keys;
  });
}

const PlannedRun& checked(const PlannedRun& plan) {
  refuse_what_is_not_simulated(plan);
  return plan;
}

}  // namespace

SimulatedRun::SimulatedRun(const PlannedRun& plan, const SimulatedSetting& setting,
                           const Interrupts& interrupts, RunObserver& observer)
    : plan_(checked(plan)),
      setting_(setting),
      interrupts_(interrupts),
      observer_(observer),
      interrupts_before_(interrupts.count()),
      topology_(Topology::from_json(plan.topology)),
      costs_(
          BrokerCosts::from_json(setting.calibration, plan.experiment.at("broker").value("costs", Json()))),
      broker_(topology_, costs_, time_, plan.seed),
      watch_(plan, topology_, broker_, kStart),
      world_{time_,
             broker_,
             messages_,
             StepClock(costs_.send, plan.seed, "send", "load"),
             StepClock(costs_.overshoot, plan.seed, "overshoot", "role"),
             plan.seed,
             setting.run_number,
             looks_at_contents(plan)},
      faults_(plan.faults, kStart, *this) {
  for (const Binding& binding : topology_.bindings) {
    if (binding.from_ns) {
      changes_.push_back({*binding.from_ns, binding, true});
    } else {
      present_.push_back(binding);
    }
    if (binding.until_ns) changes_.push_back({*binding.until_ns, binding, false});
  }
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Membership& a, const Membership& b) { return a.at_ns < b.at_ns; });
  std::reverse(changes_.begin(), changes_.end());
}

SimulatedRun::~SimulatedRun() = default;

Json SimulatedRun::execute() {
  time_.advance_to(kFirst);
  for (std::string& note : without_effect_in_simulation(plan_)) notice(note);
  for (const PlannedProcess& planned : plan_.processes) spawn(planned, planned.name);
  go_on_until(kStart - 1, [] { return false; });  // what was on its way to subscribe
  time_.advance_to(kStart);
  run_load();
  subscribe_late_roles();
  drain();
  stop_roles();
  Json result = evidence();
  write_json_file(setting_.folder / "evidence.json", result);
  return result;
}

void SimulatedRun::spawn(const PlannedProcess& planned, const std::string& name) {
  auto process = std::make_unique<RunProcess>();
  process->planned = &planned;
  process->name = name;
  process->recording = name + ".rec";
  Json order = assignment(plan_, planned);
  order["process"] = name;
  order["run"] = setting_.run_number;
  order["recording"] = (setting_.folder / process->recording).string();
  processes_.push_back(std::move(process));
  if (planned.kind == PlannedProcess::Kind::kLoad) {
    loads_.push_back(
        std::make_unique<SimulatedLoad>(world_, planned, name, order, [this] { --publishing_; }));
    publishing_ += loads_.back()->instances();
    return;
  }
  roles_.push_back(std::make_unique<SimulatedRole>(world_, planned, name, order));
  if (!roles_.back()->spec().consume.subscribe_after_load) roles_.back()->subscribe();
}

// What is next, of the messages, the faults and the bindings; false when that is nothing, or later than the
// limit.
bool SimulatedRun::step(Nanoseconds limit) {
  constexpr Nanoseconds kNever = INT64_MAX;
  const Nanoseconds message = time_.empty() ? kNever : time_.next();
  const Nanoseconds fault = faults_.next().value_or(kNever);
  const Nanoseconds change = changes_.empty() ? kNever : kStart + changes_.back().at_ns;
  const Nanoseconds next = std::min({message, fault, change});
  if (next != kNever) watch_.look_until(std::min(next - 1, limit));
  if (next == kNever || next > limit) return false;
  if (next / kAnInstant > time_.now() / kAnInstant) events_at_this_instant_ = 0;
  if (++events_at_this_instant_ > kMostEventsAtOnce) {
    throw Error("messages go round and no time passes", setting_.title,
                "give the simulated broker costs (broker.costs), or the role an effort", ExitStatus::kUsage);
  }
  if (next == fault) {
    time_.advance_to(next);
    faults_.happen();
  } else if (next == change) {
    time_.advance_to(next);
    change_membership();
  } else {
    time_.step();
  }
  return true;
}

template <class Over>
bool SimulatedRun::go_on_until(Nanoseconds limit, Over over) {
  while (!over()) {
    if (++events_ % kEventsBetweenLooks == 0) look_around();
    if (aborted_) return false;
    if (step(limit)) continue;
    const bool nothing_left = time_.empty() && !faults_.next() && changes_.empty();
    if (!nothing_left) time_.advance_to(limit);
    return nothing_left;
  }
  return true;
}

void SimulatedRun::look_around() {
  if (interrupts_.count() != interrupts_before_ && !aborted_) {
    aborted_ = true;
    notice("interrupted: ending the simulation");
  }
  observer_.stage(fmt::format("simulating {}: {:.1f} s", setting_.title,
                              static_cast<double>(time_.now() - kStart) / 1e9));
}

void SimulatedRun::run_load() {
  for (const auto& load : loads_) load->start(kStart);
  const Nanoseconds limit = kStart + plan_.phases.load_ns() + plan_.phases.drain_ns;
  if (!go_on_until(limit, [this] { return publishing_ == 0; }) && !aborted_)
    notice("the load did not settle within the drain limit; stopping it");
  load_end_ns_ = std::min(time_.now(), kStart + plan_.phases.load_ns());
  for (const auto& load : loads_) load->stop(time_.now());
}

void SimulatedRun::subscribe_late_roles() {
  for (const auto& role : roles_) {
    if (role->spec().consume.subscribe_after_load && !role->process().dead()) role->subscribe();
  }
}

void SimulatedRun::drain() {
  const Nanoseconds limit = time_.now() + plan_.phases.drain_ns;
  const bool drained =
      go_on_until(limit, [this] { return time_.empty() && !faults_.lasts() && in_hand() == 0; });
  if (aborted_) {
    drain_reason_ = "interrupted";
  } else if (!drained) {
    drain_reason_ = "the drain limit of " + format_duration(plan_.phases.drain_ns) + " passed";
  } else if (!empty()) {
    drain_reason_ = "nobody was left to consume";
  }
  drain_end_ns_ = time_.now();
}

void SimulatedRun::stop_roles() {
  faults_.heal();
  changes_.clear();
  for (const auto& role : roles_) {
    if (!role->process().dead()) role->stop();
  }
  const bool over = !aborted_ && go_on_until(time_.now() + kStopLimit, [this] { return time_.empty(); });
  close_processes();
  if (over || aborted_) return;
  notice("consumers did not finish what they had in hand within " + format_duration(kStopLimit));
}

void SimulatedRun::close_processes() {
  for (const auto& load : loads_) load->close();
  for (const auto& role : roles_) {
    if (!role->process().dead()) role->close();
  }
  for (const auto& process : processes_) process->done = !process->hit_by_fault;
}

std::size_t SimulatedRun::in_hand() const {
  std::size_t sum = 0;
  for (const auto& role : roles_) sum += role->in_hand();
  return sum;
}

bool SimulatedRun::empty() const {
  for (const PlannedProcess& process : plan_.processes) {
    if (process.kind != PlannedProcess::Kind::kRole) continue;
    for (const std::string& queue : process.queues)
      if (broker_.ready(queue) + broker_.unacked(queue) > 0) return false;
  }
  return true;
}

void SimulatedRun::change_membership() {
  const Membership change = std::move(changes_.back());
  changes_.pop_back();
  const Binding& binding = change.binding;
  Json members = Json::array();
  for (const Binding& present : present_)
    if (present.exchange == binding.exchange) members.push_back(present.destination);
  if (change.join) {
    broker_.bind(binding);
    present_.push_back(binding);
  } else {
    broker_.unbind(binding);
    std::erase_if(present_, [&](const Binding& present) {
      return present.exchange == binding.exchange && present.destination == binding.destination &&
             present.routing_key == binding.routing_key;
    });
  }
  membership_report_.push_back({{"exchange", binding.exchange},
                                {"queue", binding.destination},
                                {"change", change.join ? "join" : "leave"},
                                {"scheduled_at_ns", change.at_ns},
                                {"at_ns", time_.now()},
                                {"members_before", std::move(members)}});
}

SimulatedProcess* SimulatedRun::alive(const std::string& planned_name) {
  for (const auto& load : loads_)
    if (load->process().planned().name == planned_name) return &load->process();
  for (auto role = roles_.rbegin(); role != roles_.rend(); ++role) {
    SimulatedProcess& process = (*role)->process();
    if (process.planned().name == planned_name) return process.dead() ? nullptr : &process;
  }
  return nullptr;
}

bool SimulatedRun::kill(const std::string& name) {
  const SimulatedProcess* process = alive(name);
  for (const auto& role : roles_) {
    if (&role->process() != process) continue;
    for (const auto& seen : processes_) {
      if (seen->name != process->name()) continue;
      seen->hit_by_fault = true;
      seen->exit.signal = SIGKILL;
    }
    role->kill();
    return true;
  }
  return false;
}

bool SimulatedRun::pause(const std::string& name, bool paused) {
  SimulatedProcess* process = alive(name);
  if (process == nullptr) return false;
  if (paused) {
    process->pause();
  } else {
    process->resume();
  }
  return true;
}

bool SimulatedRun::hang(const std::string& name, bool hangs) {
  SimulatedProcess* process = alive(name);
  if (process == nullptr) return false;
  process->hindrance.hangs = hangs;
  for (const auto& load : loads_)
    if (&load->process() == process) load->go_on();
  for (const auto& role : roles_)
    if (&role->process() == process) role->go_on();
  return true;
}

bool SimulatedRun::slow(const std::string& name, double factor, Nanoseconds add_ns) {
  SimulatedProcess* process = alive(name);
  if (process == nullptr) return false;
  process->hindrance.factor = factor;
  process->hindrance.add_ns = add_ns;
  return true;
}

void SimulatedRun::restart(const std::string& name) {
  if (alive(name) != nullptr) return;
  const auto planned = std::find_if(plan_.processes.begin(), plan_.processes.end(),
                                    [&](const PlannedProcess& process) { return process.name == name; });
  const auto times = std::count_if(processes_.begin(), processes_.end(),
                                   [&](const auto& other) { return other->planned == &*planned; });
  spawn(*planned, name + "-r" + std::to_string(times));
  notice(name + " restarted");
}

void SimulatedRun::pause_broker(bool paused) {
  if (paused) {
    broker_.pause();
  } else {
    broker_.resume();
  }
}

void SimulatedRun::notice(const std::string& text) {
  const double at_s = static_cast<double>(std::max<Nanoseconds>(0, time_.now() - kStart)) / 1e9;
  notices_.push_back(fmt::format("{:.3f} s: {}", at_s, text));
  observer_.notice(text);
}

Json SimulatedRun::queues_evidence() const {
  std::vector<QueueProbe::Depth> before = QueueProbe(plan_, {}, "", false).queues();
  std::vector<QueueProbe::Depth> after = before;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::string& name = after[i].queue.name;
    before[i].ready = 0;
    after[i].ready = static_cast<std::uint32_t>(broker_.ready(name));
    after[i].unacked = static_cast<std::int64_t>(broker_.unacked(name));
  }
  return to_json(before, after);
}

Json SimulatedRun::evidence() {
  RunRecord record;
  record.run_number = setting_.run_number;
  record.t0_ns = kStart;
  record.load_end_ns = load_end_ns_;
  record.drain_end_ns = drain_end_ns_;
  record.processes = processes_evidence(processes_);
  record.queues = queues_evidence();
  record.drained = drain_reason_.empty();
  record.drain_reason = drain_reason_;
  record.aborted = aborted_;
  record.faults = faults_.report();
  record.membership = membership_report_;
  record.host = Json::object();  // nothing of it was measured
  record.broker = watch_.evidence();
  record.notices = notices_;
  Json result = run_evidence(plan_, std::move(record));
  result["simulated"] = true;
  Json calibration = setting_.calibration;
  if (calibration.is_object()) calibration.erase("steps");
  result["calibration"] = std::move(calibration);
  return result;
}

}  // namespace brokerlab
