#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "experiments/run_observer.h"
#include "live/flows.h"

namespace brokerlab::live {

// A load, churn or role over all of its processes.
struct EntryView {
  enum class Kind { kLoad, kChurn, kRole };
  std::string name;
  Kind kind = Kind::kLoad;
  int instances = 0, processes = 0, processes_alive = 0;
  std::optional<double> per_second, cpu_share;
  bool blocked = false;
  // What the processes told, by the names of their progress lines: totals since the start of the run, of
  // those that died, too; and what there is now.
  std::map<std::string, std::int64_t> totals, now;
};

struct WorkerView {
  std::string entry, name;
  std::int64_t received = 0, done = 0, busy_ns = 0;
};

struct FaultView {
  std::string kind, target;
  std::optional<Nanoseconds> started_ns, ended_ns;  // from the start of the load
  bool active() const { return started_ns && !ended_ns; }
};

// The rates and levels of a moment; percentiles are of the time since the one before.
struct Point {
  Nanoseconds at_ns = 0;
  double published_per_s = 0, confirmed_per_s = 0, received_per_s = 0, done_per_s = 0;
  std::int64_t unsettled = 0, in_hand = 0;
  std::optional<std::int64_t> ready;  // in the broker's queues
  Latencies latencies;
};

// One run as it is seen from outside.
struct RunView {
  RunIdentity identity;
  std::string stage = "start";
  Nanoseconds elapsed_ns = 0, planned_ns = 0;
  double done_share = 0;
  std::vector<EntryView> entries;
  std::vector<WorkerView> workers;
  std::vector<FaultView> faults;
  BrokerFigures broker;
  std::vector<Flow> flows;
  Latencies latencies;
  Json verdict;  // null while it is not known
};

// What a program ends with.
struct Outcome {
  struct Result {
    std::string experiment, verdict, file;
    std::vector<std::string> reasons;
  };
  std::vector<Result> results;
  std::string report, failure;
};

struct Snapshot {
  std::string activity;
  std::vector<std::string> notices;
  std::optional<RunView> current;
  std::vector<std::shared_ptr<const RunView>> finished;
  std::optional<Outcome> outcome;
  std::uint64_t runs_finished = 0;
  bool up_to_date = true;
  std::uint64_t unfollowed = 0;
};

// The points of the current run. `generation` changes when earlier ones are no longer what they were.
struct Points {
  std::uint64_t generation = 0;
  std::size_t first = 0;  // number of the first of `points`
  std::vector<Point> points;
};

// The experiment's own name of something on the broker: a prefix is of this run alone, and labels are to be
// the same in all runs.
std::string own_name(const std::string& name, const std::string& prefix);

// What goes on, kept for whoever looks. Told by the controller's thread, read by those of the servers; nobody
// holds it longer than copying takes, so that a slow reader never keeps the controller waiting.
class State final : public RunObserver {
 public:
  // Finished runs whose last figures are kept.
  static constexpr std::size_t kMostFinished = 64;
  static constexpr std::size_t kMostPoints = 1200;
  static constexpr std::size_t kMostNotices = 100;
  static constexpr std::size_t kMostWorkers = 200;

  // `shown`: what is told is passed on to it. Both must outlive the State.
  State(const Clock& clock, RunObserver& shown);

  void stage(const std::string& text) override;
  void progress(const RunProgress& progress) override;
  void notice(const std::string& text) override;
  void begin_run(const RunIdentity& identity) override;
  void end_run(const Json& run) override;
  void finish(Outcome outcome);

  Snapshot snapshot() const;
  Points points(std::uint64_t generation, std::size_t from) const;

 private:
  // At the last point.
  struct Totals {
    Nanoseconds at_ns = 0;
    std::int64_t published = 0, confirmed = 0, received = 0, done = 0;
  };

  void retire(Json verdict);
  void follow(const RunProcess& process);
  void add_point(Nanoseconds at_ns, const Latencies& recent);
  RunIdentity identity() const;
  Nanoseconds last_point_ns() const;

  const Clock& clock_;
  RunObserver& shown_;
  Flows flows_;
  std::set<std::string> followed_;  // processes of the current run

  mutable std::mutex mutex_;  // of all below
  Snapshot seen_;
  std::uint64_t runs_begun_ = 0;
  Points points_;
  Nanoseconds point_interval_ns_;
  Totals totals_;
};

}  // namespace brokerlab::live
