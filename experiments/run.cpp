#include "experiments/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "core/error.h"
#include "core/units.h"
#include "experiments/assigned_topology.h"
#include "experiments/name_prefix.h"
#include "experiments/run_evidence.h"

namespace brokerlab {
namespace {

constexpr std::uint64_t kTickMs = 20;
constexpr Nanoseconds kReportInterval = 250'000'000;
constexpr Nanoseconds kProbeInterval = 100'000'000;
// Children boot, connect and subscribe in well under a second; this bounds a broker that accepts and stays
// silent.
constexpr Nanoseconds kReadyLimit = 60 * kNanosecondsPerSecond;
// Between the word to start and the common instant: pipes and schedulers need a few milliseconds.
constexpr Nanoseconds kStartLead = 100'000'000;
// A child that was told to stop and does not end in this time is killed, and the evidence says so.
constexpr Nanoseconds kStopLimit = 15 * kNanosecondsPerSecond;
// A node that was killed boots in some 10 s, on a crowded machine in more.
constexpr Nanoseconds kHealLimit = 120 * kNanosecondsPerSecond;

std::string text_of(const Json& error, const char* key) { return error.value(key, std::string()); }

}  // namespace

Run::Run(const PlannedRun& plan, const RunSetting& setting, Lease& lease, const Clock& clock,
         const Interrupts& interrupts, RunObserver& observer)
    : plan_(with_prefix(plan, lease.prefix())),
      setting_(setting),
      lease_(lease),
      clock_(clock),
      interrupts_(interrupts),
      observer_(observer),
      network_(lease.uris(), setting.tls_insecure, clock, plan.seed),
      membership_(Topology::from_json(plan.topology).with_prefix(lease.prefix()), lease.uris(),
                  setting.tls_insecure, &loop_, clock),
      probe_(plan_, lease.uris(), lease.prefix(), setting.tls_insecure),
      interrupts_handled_(interrupts.count()) {
  uv_loop_init(&loop_);
  FaultTargets& targets = *this;
  try {
    faults_ = std::make_unique<FaultSchedule>(&loop_, clock_, targets, plan_.faults);
  } catch (const Error&) {
    uv_run(&loop_, UV_RUN_DEFAULT);  // what the effects before it had opened is closing
    uv_loop_close(&loop_);
    throw;
  }
  uv_timer_init(&loop_, &ticker_);
  ticker_.data = this;
}

Run::~Run() {
  for (const auto& process : processes_) {
    if (process->alive()) process->child->signal(SIGKILL);
  }
  // Reap what was just killed, then let every handle close.
  while (any_alive()) uv_run(&loop_, UV_RUN_ONCE);
  faults_.reset();
  for (const auto& process : processes_) {
    if (process->child) process->child->close();
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&ticker_), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

Json Run::execute() {
  depths_at_start_ = probe_.look();
  broker_ = BrokerWatch::make(plan_, lease_, &loop_, clock_);
  spawn_all();
  enter(Stage::kStarting);
  uv_timer_start(
      &ticker_, [](uv_timer_t* timer) { static_cast<Run*>(timer->data)->tick(); }, kTickMs, kTickMs);
  uv_run(&loop_, UV_RUN_DEFAULT);  // until tick() stops the loop
  if (failure_) throw *failure_;
  report_progress(clock_.now(), true);  // the last figures of all processes
  Json result = evidence();
  write_json_file(setting_.folder / "evidence.json", result);
  return result;
}

void Run::spawn_all() {
  spawned_ns_ = clock_.now();
  processes_.reserve(plan_.processes.size());
  for (const PlannedProcess& planned : plan_.processes) spawn(planned, planned.name);
}

RunProcess& Run::spawn(const PlannedProcess& planned, const std::string& name) {
  auto process = std::make_unique<RunProcess>();
  RunProcess* raw = process.get();
  process->planned = &planned;
  process->name = name;
  process->recording = name + ".rec";
  processes_.push_back(std::move(process));
  raw->child = std::make_unique<Child>(
      &loop_, name, setting_.executable, std::vector<std::string>{"process"},
      setting_.folder / (name + ".log"), [this, raw](const Json& line) { on_line(*raw, line); },
      [this, raw](ChildExit exit) { on_exit(*raw, exit); });

  Json order = assignment(plan_, planned);
  order["process"] = name;
  order["run"] = setting_.run_number;
  order["broker"] = broker_for(planned);
  order["recording"] = (setting_.folder / raw->recording).string();
  const Topology topology = Topology::from_json(plan_.topology).with_prefix(lease_.prefix());
  if (Json own = own_topology(topology, planned); !own.is_null()) order["declares"] = std::move(own);
  raw->child->send({{"assignment", std::move(order)}});
  return *raw;
}

// Processes are spread over the nodes of a cluster, or all begin at the first; when theirs is lost they go on
// at the next.
Json Run::broker_for(const PlannedProcess& planned) const {
  std::vector<std::string> uris = network_.uris(planned.name);
  const Json& broker = plan_.experiment.at("broker");
  if (broker.value("connect", "spread") == "spread") {
    const auto position = static_cast<std::size_t>(&planned - plan_.processes.data());
    std::rotate(uris.begin(), uris.begin() + static_cast<std::ptrdiff_t>(position % uris.size()), uris.end());
  }
  const std::string first = uris.front();
  uris.erase(uris.begin());
  const Nanoseconds heartbeat_ns = parse_duration(broker.value("heartbeat", "10s"));
  return {{"uri", first},
          {"other_uris", uris},
          {"tls_insecure", setting_.tls_insecure},
          {"heartbeat_s", heartbeat_ns / kNanosecondsPerSecond}};
}

void Run::on_line(RunProcess& process, const Json& line) {
  if (line.contains("progress")) {
    process.progress = line["progress"];
  } else if (line.contains("ready")) {
    process.ready = true;
    if (stage_ != Stage::kStarting) process.child->send({{"start", t0_ns_}});  // restarted by a fault
  } else if (line.contains("subscribed")) {
    process.subscribed = true;
  } else if (line.contains("load_done")) {
    process.load_done = true;
  } else if (line.contains("done")) {
    process.done = true;
  } else if (line.contains("notice")) {
    notice(process.name + ": " + text_of(line, "notice"));
  } else if (line.contains("error")) {
    process.error = line["error"];
    if (stage_ != Stage::kStarting) notice(process.name + ": " + text_of(line["error"], "what"));
    if (stage_ == Stage::kLoad &&
        text_of(line["error"], "where") == (setting_.folder / process.recording).string()) {
      notice("the load stops: " + process.name + " can record nothing more");
      stop(true);
    }
  }
}

void Run::on_exit(RunProcess& process, ChildExit exit) {
  process.exit = exit;
  process.exited = true;
  if (process.ended_by() == "died" && !process.error && stage_ != Stage::kStarting) {
    notice(process.failure().summary());
  }
}

void Run::tick() {
  const Nanoseconds now = clock_.now();
  broker_->tick(now);
  check_interrupts();
  check_limits(now);
  switch (stage_) {
    case Stage::kStarting:
      check_starting(now);
      break;
    case Stage::kLoad:
      check_load(now);
      break;
    case Stage::kSubscribing:
      check_subscribing(now);
      break;
    case Stage::kDraining:
      check_draining(now);
      break;
    case Stage::kStopping:
      check_stopping(now);
      break;
  }
  if (stage_ != Stage::kStopping) {
    if (const std::string trouble = membership_.tick(now); !trouble.empty()) notice(trouble);
  }
  report_progress(now, false);
}

void Run::enter(Stage stage) {
  stage_ = stage;
  stage_since_ns_ = clock_.now();
}

void Run::check_interrupts() {
  const int seen = interrupts_.count();
  if (seen == interrupts_handled_) return;
  const bool second = aborted_ || seen - interrupts_handled_ > 1;
  interrupts_handled_ = seen;
  aborted_ = true;
  if (stage_ == Stage::kStarting) {
    failure_ = Error("interrupted before the load began", setting_.title, "", ExitStatus::kInterrupted);
    uv_stop(&loop_);
    return;
  }
  if (second) {
    notice("interrupted again: ending every process at once");
    drain_reason_ = "interrupted";
    faults_->heal();
    for (const auto& process : processes_) {
      if (!process->alive()) continue;
      process->ended_by_us = true;
      process->child->signal(SIGKILL);
    }
    if (stage_ != Stage::kStopping) enter(Stage::kStopping);
    return;
  }
  notice("interrupted: ending the load, draining the queues; once more ends at once");
  stop(true);
}

// What ended the load early is told, and the queues are drained as after any load; a run that was draining
// already waits for nothing more.
void Run::check_limits(Nanoseconds now) {
  const bool going = stage_ != Stage::kStarting && stage_ != Stage::kStopping && now >= t0_ns_;
  if (!setting_.must_stop || !going || !stopped_by_.empty() || now - last_limits_ns_ < kReportInterval)
    return;
  last_limits_ns_ = now;
  stopped_by_ =
      setting_.must_stop(live_.at(now, counts_of(processes_), stage_ == Stage::kLoad), now - t0_ns_);
  if (stopped_by_.empty()) return;
  notice("ending the run early: " + stopped_by_);
  if (stage_ == Stage::kLoad) return stop(true);
  drain_reason_ = stopped_by_;
  stop(false);
}

void Run::check_starting(Nanoseconds now) {
  for (const auto& process : processes_) {
    if (process->exited || process->error) {
      failure_ = process->failure();
      uv_stop(&loop_);
      return;
    }
  }
  if (now - stage_since_ns_ > kReadyLimit) {
    const auto late =
        std::find_if(processes_.begin(), processes_.end(), [](const auto& p) { return !p->ready; });
    failure_ =
        Error("process " + (*late)->name + " did not get ready within " + format_duration(kReadyLimit),
              lease_.display_uri(), "see whether the broker answers; look at the logs in the run's folder");
    uv_stop(&loop_);
    return;
  }
  if (all(true, &RunProcess::ready) && all(false, &RunProcess::ready) && broker_->ready(now)) start_load();
}

void Run::start_load() {
  t0_ns_ = clock_.now() + kStartLead;
  host_ = std::make_unique<HostWatch>(clock_);
  broker_->align(t0_ns_);
  for (const auto& process : processes_) process->child->send({{"start", t0_ns_}});
  faults_->start(t0_ns_);
  membership_.start(t0_ns_);
  enter(Stage::kLoad);
}

void Run::check_load(Nanoseconds now) {
  const bool over = all(true, &RunProcess::load_done);
  const Nanoseconds limit = t0_ns_ + plan_.phases.load_ns() + plan_.phases.drain_ns;
  if (!over && now < limit && any_alive()) return;
  if (!over && now >= limit) notice("the load did not settle within the drain limit; stopping it");
  load_end_ns_ = std::min(now, t0_ns_ + plan_.phases.load_ns());
  stop(true);
  enter(Stage::kSubscribing);
}

// Roles with `subscribe: after_load` take their turn one process after the other, so that who is first is
// certain.
void Run::check_subscribing(Nanoseconds now) {
  for (const auto& process : processes_) {
    if (process->is_load() || process->subscribed || !process->alive()) continue;
    const Json& role = plan_.experiment["roles"][static_cast<std::size_t>(process->planned->entry_index)];
    if (role["consume"].value("subscribe", "before_load") != "after_load") continue;
    if (now - stage_since_ns_ > kReadyLimit) {
      notice(process->name + " did not subscribe in time");
      break;
    }
    if (!process->asked_to_subscribe) process->child->send({{"subscribe", true}});
    process->asked_to_subscribe = true;
    return;
  }
  enter(Stage::kDraining);
}

void Run::check_draining(Nanoseconds now) {
  if (!any_alive() && faults_->quiet()) {  // else somebody is about to be started again
    // A run without roles has nothing to drain, and neither has one whose queues were deleted on purpose.
    if (probe_.any_to_drain()) drain_reason_ = "no process is left";
    return stop(false);
  }
  if (now - stage_since_ns_ > plan_.phases.drain_ns) {
    drain_reason_ = "the drain limit of " + format_duration(plan_.phases.drain_ns) + " passed";
    return stop(false);
  }
  if (now - last_probe_ns_ < kProbeInterval || !faults_->quiet()) return;
  last_probe_ns_ = now;
  const std::int64_t activity = sum(false, "received") + sum(false, "done");
  if (sum(false, "in_hand") != 0 || sum(false, "unsettled") != 0 || !empty(probe_.look())) {
    activity_at_probe_ = -1;
    return;
  }
  // Twice empty with nothing happening in between: a delivery under way shows up as activity. Whether that
  // was right is checked once more after the consumers have gone.
  if (activity == activity_at_probe_ && now - stage_since_ns_ > 2 * kReportInterval) return stop(false);
  activity_at_probe_ = activity;
}

void Run::stop(bool loads) {
  for (const auto& process : processes_) {
    if (process->is_load() == loads && process->alive()) process->child->send({{"stop", true}});
  }
  if (!loads) {
    drain_end_ns_ = clock_.now();
    faults_->heal();
    enter(Stage::kStopping);
  }
}

void Run::check_stopping(Nanoseconds now) {
  if (now - stage_since_ns_ > kStopLimit) {
    for (const auto& process : processes_) {
      if (!process->alive() || process->ended_by_us) continue;
      notice(process->name + " did not stop within " + format_duration(kStopLimit) + " and was killed");
      process->ended_by_us = true;
      process->child->signal(SIGKILL);
    }
  }
  // The next run, and the last look at the queues, need the broker whole.
  const bool healing = !faults_->settled() && !aborted_ && now - stage_since_ns_ < kHealLimit;
  if (!any_alive() && !healing) uv_stop(&loop_);
}

bool Run::all(bool loads, bool RunProcess::*state) const {
  return std::all_of(processes_.begin(), processes_.end(), [&](const auto& process) {
    return process->is_load() != loads || (*process).*state || process->exited;
  });
}

bool Run::any_alive() const {
  return std::any_of(processes_.begin(), processes_.end(),
                     [](const auto& process) { return process->alive(); });
}

std::int64_t Run::sum(bool loads, const char* figure) const {
  std::int64_t total = 0;
  for (const auto& process : processes_) {
    const bool counts = figure != std::string_view("in_hand") || process->alive();  // the dead hold nothing
    if (process->is_load() == loads && counts) total += process->figure(figure);
  }
  return total;
}

RunProcess* Run::find(const std::string& name) {
  for (auto process = processes_.rbegin(); process != processes_.rend(); ++process) {
    if ((*process)->planned->name == name) return process->get();  // the latest after restarts
  }
  return nullptr;
}

void Run::notice(const std::string& text) {
  const double at_s = t0_ns_ == 0 ? 0 : static_cast<double>(clock_.now() - t0_ns_) / kNanosecondsPerSecond;
  notices_.push_back(fmt::format("{:.3f} s: {}", at_s, text));
  observer_.notice(text);
}

void Run::report_progress(Nanoseconds now, bool force) {
  if (stage_ == Stage::kStarting || (!force && now - last_report_ns_ < kReportInterval)) return;
  last_report_ns_ = now;
  RunProgress progress;
  progress.run = setting_.title;
  progress.stage = stage_ == Stage::kLoad ? "load" : stage_ == Stage::kStopping ? "stop" : "drain";
  progress.elapsed_ns = std::max<Nanoseconds>(0, now - t0_ns_);
  progress.planned_ns = plan_.phases.load_ns();
  progress.done_share = done_share(plan_, processes_, now - t0_ns_);
  progress.rows = table_.rows(processes_, now);
  for (const auto& process : processes_) progress.processes.push_back(process.get());
  progress.faults = faults_->report();
  progress.broker = broker_->figures();
  observer_.progress(progress);
}

Json Run::evidence() {
  std::vector<QueueProbe::Depth> depths = probe_.look();
  broker_->look_for_unacked(depths);
  drained_ = drain_reason_.empty() && empty(depths);
  if (!drained_ && drain_reason_.empty()) {
    drain_reason_ =
        probe_.trouble().empty() ? "a queue was not empty after its consumers had gone" : probe_.trouble();
  }
  Json host = host_->report();
  // The process of the first load instance carries the thread that watches for hiccups
  // (core/process_watch.h).
  host["control_thread"] = !plan_.experiment["load"].empty();
  RunRecord record;
  record.run_number = setting_.run_number;
  record.t0_ns = t0_ns_;
  record.load_end_ns = load_end_ns_;
  record.drain_end_ns = drain_end_ns_ == 0 ? clock_.now() : drain_end_ns_;
  record.processes = processes_evidence(processes_);
  record.queues = to_json(depths_at_start_, depths);
  record.drained = drained_;
  record.drain_reason = drain_reason_;
  record.aborted = aborted_ || !stopped_by_.empty();
  record.faults = faults_->report();
  record.membership = membership_.report();
  record.host = std::move(host);
  record.broker = broker_->evidence();
  record.notices = notices_;
  Json evidence = run_evidence(plan_, std::move(record));
  if (!stopped_by_.empty()) evidence["stopped_by"] = stopped_by_;
  return evidence;
}

}  // namespace brokerlab
