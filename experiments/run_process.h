#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/json.h"
#include "experiments/child.h"
#include "experiments/live_figures.h"
#include "experiments/plan.h"

namespace brokerlab {

// One process of a run, from its spawn to its exit: what it said last and how it ended. Plain state with no
// decisions; Run decides. A process that a fault restarts is a second RunProcess with a recording of its own.
struct RunProcess {
  const PlannedProcess* planned = nullptr;
  std::string name;       // the planned name; with "-r1", "-r2" after a restart
  std::string recording;  // relative to the run's folder
  std::unique_ptr<Child> child;

  bool ready = false;
  bool asked_to_subscribe = false;
  bool subscribed = false;  // answered that request
  bool load_done = false;
  bool done = false;  // closed its recording in order
  bool exited = false;
  bool hit_by_fault = false;  // its end is intended
  bool ended_by_us = false;   // we killed it because it would not end
  ChildExit exit;
  std::optional<Json> error;  // its own words: {"what", "where", "remedy"}
  Json progress = Json::object();

  // It ends of itself, and before the drain: a load or a churn.
  bool is_load() const { return planned->kind != PlannedProcess::Kind::kRole; }
  bool is_churn() const { return planned->kind == PlannedProcess::Kind::kChurn; }
  bool alive() const { return child && !exited; }
  // A cumulative figure of its last progress line; 0 until it said any.
  std::int64_t figure(const char* key) const;
  // "normal", "fault", "aborted" or "died", as the evidence says it.
  std::string ended_by() const;
  // Of one that ended too soon: its own words, or how it ended.
  Error failure() const;
};

// What all processes have told so far.
LiveCounts counts_of(const std::vector<std::unique_ptr<RunProcess>>& processes);

// How much of the load is over: by count where that is known of all loads, else by time.
double done_share(const PlannedRun& plan, const std::vector<std::unique_ptr<RunProcess>>& processes,
                  Nanoseconds elapsed_ns);

// The rows of the live table: one per load or role, over all of its processes.
class ProgressTable {
 public:
  // Rates are those of the last kRateWindow, or of the time since the first call where that is less: the
  // processes report five times a second, and a rate over a time as short as that would jump.
  std::vector<struct ProgressRow> rows(const std::vector<std::unique_ptr<RunProcess>>& processes,
                                       Nanoseconds now);

 private:
  static constexpr Nanoseconds kRateWindow = 2 * kNanosecondsPerSecond;
  struct Figures {
    std::int64_t messages = 0;
    std::int64_t cpu_ns = 0;
  };
  struct Moment {
    Nanoseconds at_ns = 0;
    std::map<std::string, Figures> rows;  // by name
  };

  void add_rates(std::vector<struct ProgressRow>& rows, Moment now);
  std::deque<Moment> moments_;
};

}  // namespace brokerlab
