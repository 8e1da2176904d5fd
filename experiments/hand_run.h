#pragma once

#include <uv.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/topology.h"
#include "core/clock.h"
#include "core/error.h"
#include "experiments/interrupts.h"
#include "experiments/role_file.h"
#include "experiments/run_observer.h"
#include "experiments/run_process.h"
#include "experiments/step_log.h"

namespace brokerlab {

// Who shows a person what the processes do. Called on the runner's thread.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  // `line` begins with the timestamp and the name of who did it.
  virtual void step(const std::string& line) = 0;
  // `who` works for so long from now, or has just done something else.
  virtual void working(const std::string& who, Nanoseconds for_ns) = 0;
  virtual void done_working(const std::string& who) = 0;
  // Some ten times a second.
  virtual void tick() = 0;
  // Before all processes are spawned, and then with their figures, for who watches. There are no recordings.
  virtual void begin(const RunIdentity&) {}
  virtual void progress(const RunProgress&) {}
};

struct HandSetting {
  std::filesystem::path executable;  // our own binary, for the children
  std::filesystem::path log_folder;
  std::string broker_uri;  // with credentials
  bool tls_insecure = false;
  std::filesystem::path ready_file;  // there while every process is connected; "" for none
  std::string id;                    // names the processes, where there is only one of an entry
};

// A role file run by itself, by a person or in a container: declares its topology under the names it has,
// spawns the processes an experiment would spawn and speaks to them as an experiment does, and tells every
// step. Ends when all loads are done and there is no role, or on Ctrl-C. Owns a loop that runs inside
// execute().
class HandRun {
 public:
  HandRun(const RoleDeclaration& role, HandSetting setting, const Clock& clock, const Interrupts& interrupts,
          StepObserver& observer);
  ~HandRun();
  HandRun(const HandRun&) = delete;
  HandRun& operator=(const HandRun&) = delete;

  // Blocks until every process is gone; throws Error when the broker stays out of reach or a process failed.
  void execute();

 private:
  struct Member {
    PlannedProcess planned;
    std::unique_ptr<StepLog> log;
    RunProcess process;
  };

  void declare_topology();
  void spawn(Member& member);
  Json broker_of_assignment() const;
  void on_line(Member& member, const Json& line);
  void on_exit(Member& member, ChildExit exit);
  void on_ready();
  void tick();
  void report_progress();
  void show_readiness(bool ready);
  void check_interrupts();
  void stop();
  void kill();
  void say(Member& member, const std::string& who, const std::string& text);
  void say_to_all(const std::string& text);
  void say_totals(Member& member);
  bool any_alive() const;

  const HandSetting setting_;
  const Clock& clock_;
  const Interrupts& interrupts_;
  StepObserver& observer_;
  const std::string role_;  // its name
  PlannedRun plan_;
  Topology topology_;
  std::string where_;  // the broker, without credentials
  std::uint64_t run_number_;

  uv_loop_t loop_{};
  uv_timer_t ticker_{};
  std::vector<std::unique_ptr<Member>> members_;
  bool has_roles_ = false;
  Nanoseconds t0_ns_ = 0;
  Nanoseconds last_report_ns_ = 0;
  bool started_ = false;
  bool shown_ready_ = false;
  bool stopping_ = false;
  bool killed_ = false;
  std::optional<Error> failure_;
};

}  // namespace brokerlab
