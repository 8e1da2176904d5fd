#include "experiments/hand_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <utility>

#include "amqp/amqp_error.h"
#include "amqp/uri.h"
#include "core/ids.h"
#include "core/units.h"
#include "experiments/assigned_topology.h"

namespace brokerlab {
namespace {

constexpr int kTries = 5;
constexpr Nanoseconds kBetweenTries = 2 * kNanosecondsPerSecond;
constexpr std::uint64_t kTickMs = 50;
constexpr Nanoseconds kStartLead = 20'000'000;
constexpr Nanoseconds kReportInterval = 250'000'000;

std::string timestamp() {
  char text[32];
  return WallClock::iso8601_now(text);
}

// With an id there is one process of that name: no number behind it.
void name_after(const std::string& id, PlannedProcess& process) {
  if (id.empty() || process.instances_total != 1) return;
  process.name = process.entry + "-" + id;
  for (PlannedInstance& instance : process.instances) instance.name = process.name;
}

}  // namespace

HandRun::HandRun(const RoleDeclaration& role, HandSetting setting, const Clock& clock,
                 const Interrupts& interrupts, StepObserver& observer)
    : setting_(std::move(setting)),
      clock_(clock),
      interrupts_(interrupts),
      observer_(observer),
      role_(role.name),
      topology_(Topology::from_json(role.experiment.at("topology"))),
      where_(amqp::Uri::parse(setting_.broker_uri).safe()),
      run_number_(RunId::make().number) {
  plan_ = plan_by_hand(role.experiment, role.directory.string(), run_number_);
  for (const PlannedProcess& planned : plan_.processes) {
    auto member = std::make_unique<Member>();
    member->planned = planned;
    name_after(setting_.id, member->planned);
    member->log = std::make_unique<StepLog>(setting_.log_folder, member->planned.name);
    member->process.planned = &member->planned;
    member->process.name = member->planned.name;
    has_roles_ |= !member->process.is_load();
    members_.push_back(std::move(member));
  }
  uv_loop_init(&loop_);
  uv_timer_init(&loop_, &ticker_);
  ticker_.data = this;
}

HandRun::~HandRun() {
  show_readiness(false);
  kill();
  while (any_alive()) uv_run(&loop_, UV_RUN_ONCE);
  for (const auto& member : members_) {
    if (member->process.child) member->process.child->close();
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&ticker_), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

void HandRun::execute() {
  std::error_code none_left;
  if (!setting_.ready_file.empty()) std::filesystem::remove(setting_.ready_file, none_left);
  for (const auto& member : members_) {
    say(*member, member->process.name, "log: " + member->log->path().string());
  }
  try {
    declare_topology();
  } catch (const Error& error) {
    say_to_all(error.summary());
    throw;
  }
  if (stopping_) return;
  observer_.begin(
      {role_, std::to_string(run_number_), "default", 0, role_, "", where_, std::filesystem::path()});
  for (const auto& member : members_) spawn(*member);
  uv_timer_start(
      &ticker_, [](uv_timer_t* timer) { static_cast<HandRun*>(timer->data)->tick(); }, kTickMs, kTickMs);
  uv_run(&loop_, UV_RUN_DEFAULT);  // until tick() stops the loop
  report_progress();               // the last figures
  if (failure_) throw *failure_;
}

void HandRun::report_progress() {
  last_report_ns_ = clock_.now();
  RunProgress progress;
  progress.run = role_;
  progress.stage = !started_ ? "start" : stopping_ ? "stop" : "load";
  progress.elapsed_ns = started_ ? std::max<Nanoseconds>(0, last_report_ns_ - t0_ns_) : 0;
  for (const auto& member : members_) progress.processes.push_back(&member->process);
  observer_.progress(progress);
}

void HandRun::declare_topology() {
  DeclarationOptions options;
  options.tls_insecure = setting_.tls_insecure;
  for (int attempt = 1;; ++attempt) {
    try {
      return declare(topology_, setting_.broker_uri, options);
    } catch (const amqp::BrokerError& error) {
      if (!error.retry_may_help()) throw;
      say_to_all(
          fmt::format("no connection to {}, try {} of {}: {}", where_, attempt, kTries, error.summary()));
      if (attempt == kTries) {
        throw Error(fmt::format("no broker at {} after {} tries {} apart", where_, kTries,
                                format_duration(kBetweenTries)),
                    where_, error.remedy());
      }
    }
    if (interrupts_.wait(kBetweenTries)) continue;
    say_to_all("interrupted");
    stopping_ = true;
    return;
  }
}

Json HandRun::broker_of_assignment() const {
  return {{"uri", amqp::Uri::parse(setting_.broker_uri).full()},
          {"tls_insecure", setting_.tls_insecure},
          {"heartbeat_s", 10},
          {"reconnect", {{"tries", kTries}, {"delay_s", kBetweenTries / kNanosecondsPerSecond}}},
          {"topology", assigned_topology(topology_)}};
}

void HandRun::spawn(Member& member) {
  member.process.child = std::make_unique<Child>(
      &loop_, member.process.name, setting_.executable, std::vector<std::string>{"process"},
      member.log->path(), [this, &member](const Json& line) { on_line(member, line); },
      [this, &member](ChildExit exit) { on_exit(member, exit); });
  Json order = assignment(plan_, member.planned);
  order["run"] = run_number_;
  order["broker"] = broker_of_assignment();
  if (Json own = own_topology(topology_, member.planned); !own.is_null()) order["declares"] = std::move(own);
  // Nobody evaluates it: only what the process needs of it is kept, in a file without a name.
  order["recording"] = member.log->path().string() + ".rec";
  order["keep_recording"] = false;
  order["say"] = true;
  member.process.child->send({{"assignment", std::move(order)}});
}

void HandRun::on_line(Member& member, const Json& line) {
  RunProcess& process = member.process;
  if (line.contains("say")) {
    const std::string who = line.value("who", process.name);
    say(member, who, line["say"]);
    if (line.contains("for_ns")) {
      observer_.working(who, line["for_ns"]);
    } else {
      observer_.done_working(who);
    }
  } else if (line.contains("progress")) {
    process.progress = line["progress"];
  } else if (line.contains("ready")) {
    process.ready = true;
    on_ready();
  } else if (line.contains("load_done")) {
    process.load_done = true;
  } else if (line.contains("done")) {
    process.done = true;
  } else if (line.contains("notice")) {
    say(member, process.name, line["notice"]);
  } else if (line.contains("error")) {
    process.error = line["error"];
  }
}

void HandRun::on_ready() {
  const bool all =
      std::all_of(members_.begin(), members_.end(), [](const auto& m) { return m->process.ready; });
  if (!all || std::exchange(started_, true)) return;
  t0_ns_ = clock_.now() + kStartLead;
  for (const auto& member : members_) {
    member->process.child->send({{"start", t0_ns_}});
    if (!member->process.is_load()) member->process.child->send({{"subscribe", true}});
  }
}

void HandRun::on_exit(Member& member, ChildExit exit) {
  RunProcess& process = member.process;
  process.exit = exit;
  process.exited = true;
  observer_.done_working(process.name);
  say_totals(member);
  if (process.ended_by() == "normal" || killed_) {
    return say(member, process.name, "closed");
  }
  std::string what = exit.signal != 0 ? fmt::format("ended by signal {}", exit.signal)
                                      : fmt::format("ended with status {}", exit.status);
  std::string where = where_, remedy = "its log says more: " + member.log->path().string();
  if (process.error) {
    what = process.error->value("what", what);
    where = process.error->value("where", where);
    remedy = process.error->value("remedy", remedy);
  }
  say(member, process.name, what);
  if (!failure_) failure_ = Error(process.name + ": " + what, where, remedy);
  stop();
}

void HandRun::tick() {
  check_interrupts();
  observer_.tick();
  show_readiness(started_ && !stopping_ &&
                 std::all_of(members_.begin(), members_.end(), [](const auto& member) {
                   return member->process.alive() && member->process.progress.value("connected", true);
                 }));
  if (clock_.now() - last_report_ns_ >= kReportInterval) report_progress();
  if (!any_alive()) return uv_stop(&loop_);
  const bool loads_done = std::all_of(members_.begin(), members_.end(), [](const auto& member) {
    return member->process.load_done || !member->process.is_load();
  });
  if (loads_done && !has_roles_) stop();
}

void HandRun::show_readiness(bool ready) {
  if (setting_.ready_file.empty() || ready == shown_ready_) return;
  shown_ready_ = ready;
  std::error_code gone_already;
  if (ready) {
    std::ofstream(setting_.ready_file) << members_.size() << " connected\n";
  } else {
    std::filesystem::remove(setting_.ready_file, gone_already);
  }
}

void HandRun::check_interrupts() {
  if (interrupts_.count() > 0 && !stopping_) {
    say_to_all("interrupted: finishing what is in hand and closing; once more ends at once");
    stop();
  }
  if (interrupts_.count() > 1 && !killed_) {
    say_to_all("interrupted again: ending at once");
    kill();
  }
}

void HandRun::stop() {
  if (std::exchange(stopping_, true)) return;
  for (const auto& member : members_) {
    if (member->process.alive()) member->process.child->send({{"stop", true}});
  }
}

void HandRun::kill() {
  killed_ = true;
  for (const auto& member : members_) {
    if (member->process.alive()) member->process.child->signal(SIGKILL);
  }
}

void HandRun::say(Member& member, const std::string& who, const std::string& text) {
  const std::string line = timestamp() + "  " + who + "  " + text;
  member.log->write(line);
  observer_.step(line);
}

void HandRun::say_to_all(const std::string& text) {
  for (const auto& member : members_) say(*member, member->process.name, text);
}

void HandRun::say_totals(Member& member) {
  std::string text;
  for (const char* figure : {"received", "done", "ignored", "unreadable", "corrupted", "redelivered",
                             "published", "confirmed", "returned", "nacked"}) {
    const std::int64_t value = member.process.figure(figure);
    const bool always = figure == std::string_view(member.process.is_load() ? "published" : "received");
    if (value != 0 || always) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", value, figure);
  }
  say(member, member.process.name, "in all: " + text);
}

bool HandRun::any_alive() const {
  return std::any_of(members_.begin(), members_.end(), [](const auto& m) { return m->process.alive(); });
}

}  // namespace brokerlab
