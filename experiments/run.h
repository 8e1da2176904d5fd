#pragma once

#include <uv.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/lease.h"
#include "core/clock.h"
#include "core/json.h"
#include "experiments/broker_watch.h"
#include "experiments/fault_schedule.h"
#include "experiments/host_watch.h"
#include "experiments/interrupts.h"
#include "experiments/live_figures.h"
#include "experiments/membership_schedule.h"
#include "experiments/network_paths.h"
#include "experiments/plan.h"
#include "experiments/queue_probe.h"
#include "experiments/run_observer.h"
#include "experiments/run_process.h"

namespace brokerlab {

// What a run needs from outside; all of it outlives the Run.
struct RunSetting {
  std::filesystem::path executable;  // our own binary, for the children
  std::filesystem::path folder;      // exists; recordings, logs and evidence.json go here
  std::uint64_t run_number = 0;      // in the stamp of every message
  std::string title;                 // "push, repetition 1 (2 of 4)"
  bool tls_insecure = false;
  // Asked about every quarter of a second with the figures so far (experiments/live_figures.h) and the time
  // since the load began: why the run is to end now, "" for it to go on. May be empty.
  std::function<std::string(const Json& figures, Nanoseconds elapsed_ns)> must_stop;
};

// One variant, once: spawns the processes, starts them together, lets the load run and the faults strike,
// waits until the queues are drained, stops everybody, and leaves the evidence. The topology is declared
// before and removed after by the owner of the lease.
//
// Controller only; owns a loop that runs inside execute(). Whatever happens after the start (a dead process,
// a dead broker, Ctrl-C), what was measured is kept and the evidence says what happened; only a run that
// could not start throws.
class Run final : private FaultTargets {
 public:
  Run(const PlannedRun& plan, const RunSetting& setting, Lease& lease, const Clock& clock,
      const Interrupts& interrupts, RunObserver& observer);
  ~Run() override;

  // Blocks until every process is gone. Returns the evidence (docs/result.md), which also stands in
  // evidence.json. Throws Error when the processes cannot be started or do not get ready.
  Json execute();

 private:
  enum class Stage { kStarting, kLoad, kSubscribing, kDraining, kStopping };

  void spawn_all();
  RunProcess& spawn(const PlannedProcess& planned, const std::string& name);
  Json broker_for(const PlannedProcess& planned) const;
  void on_line(RunProcess& process, const Json& line);
  void on_exit(RunProcess& process, ChildExit exit);

  void tick();
  void enter(Stage stage);
  void check_starting(Nanoseconds now);
  void check_load(Nanoseconds now);
  void check_subscribing(Nanoseconds now);
  void check_draining(Nanoseconds now);
  void check_stopping(Nanoseconds now);
  void check_interrupts();
  void check_limits(Nanoseconds now);
  void start_load();
  void stop(bool loads);
  void report_progress(Nanoseconds now, bool force);

  bool all(bool loads, bool RunProcess::*state) const;  // dead processes count as having reached it
  bool any_alive() const;
  std::int64_t sum(bool loads, const char* figure) const;
  RunProcess* find(const std::string& name);

  uv_loop_t* loop() override { return &loop_; }
  const Clock& clock() const override { return clock_; }
  bool signal_process(const std::string& process, int signal) override;
  bool tell_process(const std::string& process, const Json& line) override;
  void restart_process(const std::string& process) override;
  void expect_end(const std::string& process) override;
  void expect_deletion(const std::string& queue) override { probe_.expect_deletion(queue); }
  std::string connection_name(const std::string& process) override;
  PrivateBroker* private_broker() override { return lease_.private_broker(); }
  Management* management() override { return lease_.management(); }
  std::vector<std::string> broker_uris() const override { return lease_.uris(); }
  NetworkPaths& network() override { return network_; }
  bool tls_insecure() const override { return setting_.tls_insecure; }
  void notice(const std::string& text) override;

  Json evidence();

  const PlannedRun plan_;  // under the names that the broker knows
  const RunSetting& setting_;
  Lease& lease_;
  const Clock& clock_;
  const Interrupts& interrupts_;
  RunObserver& observer_;

  uv_loop_t loop_{};
  uv_timer_t ticker_{};
  std::vector<std::unique_ptr<RunProcess>> processes_;
  NetworkPaths network_;
  std::unique_ptr<FaultSchedule> faults_;
  MembershipSchedule membership_;
  std::unique_ptr<HostWatch> host_;
  std::unique_ptr<BrokerWatch> broker_;
  QueueProbe probe_;
  std::vector<QueueProbe::Depth> depths_at_start_;
  ProgressTable table_;

  Stage stage_ = Stage::kStarting;
  Nanoseconds stage_since_ns_ = 0;
  Nanoseconds spawned_ns_ = 0;
  Nanoseconds t0_ns_ = 0;
  Nanoseconds load_end_ns_ = 0;
  Nanoseconds drain_end_ns_ = 0;
  Nanoseconds last_report_ns_ = 0;
  Nanoseconds last_probe_ns_ = 0;
  std::int64_t activity_at_probe_ =
      -1;  // received and done of all roles when the queues were last seen empty
  bool drained_ = false;
  std::string drain_reason_;
  int interrupts_handled_ = 0;
  bool aborted_ = false;
  LiveFigures live_;
  Nanoseconds last_limits_ns_ = 0;
  std::string stopped_by_;        // what must_stop said
  std::optional<Error> failure_;  // of the start
  Json notices_ = Json::array();
};

}  // namespace brokerlab
