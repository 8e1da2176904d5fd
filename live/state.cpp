#include "live/state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "experiments/run_process.h"

namespace brokerlab::live {
namespace {

constexpr Nanoseconds kFirstPointInterval = kNanosecondsPerSecond / 2;

constexpr std::array kTotals = {"scheduled", "published", "confirmed",   "returned", "nacked",
                                "received",  "done",      "ignored",     "busy_ns",  "unreadable",
                                "corrupted", "cpu_ns",    "bytes_out",   "bytes_in", "begun",
                                "opened",    "closed",    "redelivered", "failed"};
constexpr std::array kLevels = {"unsettled", "in_hand", "open", "rss_bytes"};

EntryView::Kind kind_of(const RunProcess& process) {
  if (process.is_churn()) return EntryView::Kind::kChurn;
  return process.is_load() ? EntryView::Kind::kLoad : EntryView::Kind::kRole;
}

EntryView& entry_of(const RunProcess& process, std::vector<EntryView>& entries) {
  for (EntryView& entry : entries) {
    if (entry.name == process.planned->entry) return entry;
  }
  EntryView& entry = entries.emplace_back();
  entry.name = process.planned->entry;
  entry.kind = kind_of(process);
  entry.instances = process.planned->instances_total;
  return entry;
}

void add_figures(const RunProcess& process, EntryView& entry) {
  entry.processes += 1;
  entry.processes_alive += process.alive() ? 1 : 0;
  entry.blocked |= process.alive() &&
                   (process.progress.value("blocked", false) || !process.progress.value("connected", true));
  for (const char* key : kTotals) {
    if (process.progress.contains(key)) entry.totals[key] += process.figure(key);
  }
  for (const char* key : kLevels) {
    // The dead hold nothing.
    if (process.progress.contains(key)) entry.now[key] += process.alive() ? process.figure(key) : 0;
  }
}

void add_workers(const RunProcess& process, std::vector<WorkerView>& workers) {
  const auto told = process.progress.find("per_instance");
  if (told == process.progress.end() || !told->is_array()) return;
  for (std::size_t i = 0; i < told->size() && i < process.planned->instances.size(); ++i) {
    const std::string& name = process.planned->instances[i].name;
    // One that was started again goes on under its name.
    auto worker = std::find_if(workers.begin(), workers.end(), [&](const WorkerView& other) {
      return other.name == name && other.entry == process.planned->entry;
    });
    if (worker == workers.end() && workers.size() == State::kMostWorkers) return;
    if (worker == workers.end()) worker = workers.insert(worker, {process.planned->entry, name});
    const Json& figures = told->at(i);
    worker->received += figures.at(0).get<std::int64_t>();
    worker->done += figures.at(1).get<std::int64_t>();
    worker->busy_ns += figures.at(2).get<std::int64_t>();
  }
}

std::vector<FaultView> faults_of(const RunProgress& progress, Nanoseconds now) {
  std::vector<FaultView> faults;
  const Nanoseconds start = now - progress.elapsed_ns;
  for (const Json& told : progress.faults) {
    FaultView fault{told.at("kind"), told.at("target"), {}, {}};
    const auto instant = [&](const char* key) -> std::optional<Nanoseconds> {
      if (!told.at(key).is_number()) return {};
      return told.at(key).get<Nanoseconds>() - start;
    };
    fault.started_ns = instant("started_ns");
    fault.ended_ns = instant("ended_ns");
    faults.push_back(std::move(fault));
  }
  return faults;
}

// As OpenTelemetry names what is published to in RabbitMQ.
std::string destination_of(const PlannedRoute& route, const std::string& prefix) {
  const std::string exchange = own_name(route.exchange, prefix), key = own_name(route.routing_key, prefix);
  if (exchange.empty() && key.empty()) return "amq.default";
  if (exchange.empty() || key.empty()) return exchange + key;
  return exchange + ":" + key;
}

std::int64_t sum(const std::vector<EntryView>& entries, bool roles, const char* key,
                 std::map<std::string, std::int64_t> EntryView::*figures = &EntryView::totals) {
  std::int64_t total = 0;
  for (const EntryView& entry : entries) {
    const auto found = (entry.*figures).find(key);
    if ((entry.kind == EntryView::Kind::kRole) == roles && found != (entry.*figures).end())
      total += found->second;
  }
  return total;
}

}  // namespace

std::string own_name(const std::string& name, const std::string& prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

State::State(const Clock& clock, RunObserver& shown)
    : clock_(clock), shown_(shown), flows_(clock), point_interval_ns_(kFirstPointInterval) {}

void State::stage(const std::string& text) {
  shown_.stage(text);
  const std::lock_guard lock(mutex_);
  seen_.activity = text;
}

void State::notice(const std::string& text) {
  shown_.notice(text);
  const std::lock_guard lock(mutex_);
  seen_.notices.push_back(text);
  if (seen_.notices.size() > kMostNotices) seen_.notices.erase(seen_.notices.begin());
}

void State::begin_run(const RunIdentity& identity) {
  shown_.begin_run(identity);
  retire(Json());  // one that could not be run to its end
  flows_.begin_run();
  followed_.clear();
  const std::lock_guard lock(mutex_);
  ++runs_begun_;
  seen_.current.emplace();
  seen_.current->identity = identity;
  points_ = {points_.generation + 1, 0, {}};
  point_interval_ns_ = kFirstPointInterval;
  totals_ = {};
}

void State::follow(const RunProcess& process) {
  if (process.recording.empty() || !followed_.insert(process.name).second) return;
  Source source;
  const RunIdentity identity = this->identity();
  source.path = identity.folder / process.recording;
  source.entry = process.planned->entry;
  source.role = !process.is_load();
  for (const PlannedRoute& route : process.planned->routes)
    source.routes.push_back(destination_of(route, identity.prefix));
  if (source.role) {
    for (const std::string& queue : process.planned->queues)
      source.queues.push_back(own_name(queue, identity.prefix));
    for (const PlannedInstance& instance : process.planned->instances)
      source.consumed.push_back(own_name(instance.queue, identity.prefix));
  }
  flows_.follow(source);
}

RunIdentity State::identity() const {
  const std::lock_guard lock(mutex_);
  return seen_.current ? seen_.current->identity : RunIdentity();
}

void State::progress(const RunProgress& progress) {
  shown_.progress(progress);
  std::vector<EntryView> entries;
  std::vector<WorkerView> workers;
  for (const RunProcess* process : progress.processes) {
    follow(*process);
    add_figures(*process, entry_of(*process, entries));
    add_workers(*process, workers);
  }
  for (const ProgressRow& row : progress.rows) {
    for (EntryView& entry : entries) {
      if (entry.name != row.name) continue;
      entry.per_second = row.per_second;
      entry.cpu_share = row.cpu_share;
    }
  }
  std::vector<FaultView> faults = faults_of(progress, clock_.now());
  const bool due = progress.elapsed_ns - last_point_ns() >= point_interval_ns_;
  const Latencies recent = due ? flows_.take_recent() : Latencies{};
  const std::lock_guard lock(mutex_);
  if (!seen_.current) return;
  RunView& run = *seen_.current;
  run.stage = progress.stage;
  run.elapsed_ns = progress.elapsed_ns;
  run.planned_ns = progress.planned_ns;
  run.done_share = progress.done_share;
  run.entries = std::move(entries);
  run.workers = std::move(workers);
  run.faults = std::move(faults);
  run.broker = progress.broker;
  if (due) add_point(progress.elapsed_ns, recent);
}

// Under the lock.
void State::add_point(Nanoseconds at_ns, const Latencies& recent) {
  const std::vector<EntryView>& entries = seen_.current->entries;
  const Totals totals{at_ns, sum(entries, false, "published"), sum(entries, false, "confirmed"),
                      sum(entries, true, "received"), sum(entries, true, "done")};
  const double seconds = static_cast<double>(at_ns - totals_.at_ns) / kNanosecondsPerSecond;
  const auto rate = [&](std::int64_t Totals::*figure) {
    return static_cast<double>(totals.*figure - totals_.*figure) / seconds;
  };
  if (seconds > 0) {
    points_.points.push_back(
        {at_ns, rate(&Totals::published), rate(&Totals::confirmed), rate(&Totals::received),
         rate(&Totals::done),
         sum(entries, false, "unsettled", &EntryView::now) + sum(entries, true, "unsettled", &EntryView::now),
         sum(entries, true, "in_hand", &EntryView::now), seen_.current->broker.ready, recent});
  }
  totals_ = totals;
  if (points_.points.size() < kMostPoints) return;
  // From here on half as many, of the past, too.
  std::vector<Point> kept;
  for (std::size_t i = 1; i < points_.points.size(); i += 2) kept.push_back(points_.points[i]);
  points_ = {points_.generation + 1, 0, std::move(kept)};
  point_interval_ns_ *= 2;
}

Nanoseconds State::last_point_ns() const {
  const std::lock_guard lock(mutex_);
  return totals_.at_ns;
}

void State::end_run(const Json& run) {
  shown_.end_run(run);
  retire(run.value("verdict", Json()));
}

void State::retire(Json verdict) {
  {
    const std::lock_guard lock(mutex_);
    if (!seen_.current) return;
  }
  flows_.end_run();
  std::vector<Flow> flows = flows_.flows();
  const Latencies latencies = flows_.so_far();
  const std::lock_guard lock(mutex_);
  RunView& view = *seen_.current;
  view.stage = "over";
  view.verdict = std::move(verdict);
  view.flows = std::move(flows);
  view.latencies = latencies;
  seen_.finished.push_back(std::make_shared<const RunView>(std::move(view)));
  if (seen_.finished.size() > kMostFinished) seen_.finished.erase(seen_.finished.begin());
  seen_.current.reset();
  ++seen_.runs_finished;
}

void State::finish(Outcome outcome) {
  retire(Json());
  const std::lock_guard lock(mutex_);
  seen_.outcome = std::move(outcome);
}

Snapshot State::snapshot() const {
  for (;;) {
    Snapshot snapshot;
    std::uint64_t begun = 0;
    {
      const std::lock_guard lock(mutex_);
      snapshot = seen_;
      begun = runs_begun_;
    }
    snapshot.up_to_date = flows_.up_to_date();
    snapshot.unfollowed = flows_.unfollowed();
    if (!snapshot.current) return snapshot;
    snapshot.current->flows = flows_.flows();
    snapshot.current->latencies = flows_.so_far();
    const std::lock_guard lock(mutex_);
    // Else these were flows of the run after it.
    if (begun == runs_begun_) return snapshot;
  }
}

Points State::points(std::uint64_t generation, std::size_t from) const {
  const std::lock_guard lock(mutex_);
  if (generation != points_.generation) from = 0;
  from = std::min(from, points_.points.size());
  return {points_.generation,
          from,
          {points_.points.begin() + static_cast<std::ptrdiff_t>(from), points_.points.end()}};
}

}  // namespace brokerlab::live
