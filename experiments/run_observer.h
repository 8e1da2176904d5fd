#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "broker/broker_figures.h"
#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

struct RunProcess;

// Which run of which experiment it is.
struct RunIdentity {
  std::string experiment, run_id, variant;
  int repetition = 0;
  std::string title;             // "push, repetition 1 (2 of 4)"
  std::string prefix;            // of names on the broker that the experiment knows without it
  std::string broker;            // scheme://host:port/vhost; "" for a simulated one
  std::filesystem::path folder;  // where its recordings are
};

// One line of the live table: a load or a role over all of its processes. Figures are cumulative since the
// start.
struct ProgressRow {
  std::string name;
  bool is_load = false;
  bool is_churn = false;
  int instances = 0;
  int processes_alive = 0;
  int processes = 0;
  std::int64_t messages = 0;  // published by a load, done by a role, opened by a churn
  double per_second = 0;      // since the previous progress
  std::int64_t settled = 0;   // confirmed of a load; received by a role
  std::int64_t trouble = 0;   // returned and nacked of a load; redelivered of a role
  std::int64_t waiting = 0;   // unsettled of a load; in hand of a role
  double cpu_share = 0;       // of one core, since the previous progress
  std::int64_t resident_bytes = 0;
  bool blocked = false;  // the broker blocks a connection, or there is none
};

struct RunProgress {
  std::string run;    // "variant push, repetition 1 (2 of 4)"
  std::string stage;  // "load", "drain", …
  Nanoseconds elapsed_ns = 0;
  Nanoseconds planned_ns = 0;  // of the load; 0 when only counts end it
  double done_share = 0;       // [0, 1], by count where that is known, else by time
  std::vector<ProgressRow> rows;
  BrokerFigures broker;                      // as of its last samples, which are rarer than progress
  std::vector<const RunProcess*> processes;  // for the time of the call
  Json faults = Json::array();               // as in the evidence (FaultSchedule::report)
};

// Told what happens while experiments run, on the controller's thread. The terminal, plain lines and silence
// are three of these.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // A step that takes a moment: "starting RabbitMQ (5.2 s)". Replaces the previous step on a terminal.
  virtual void stage(const std::string& text) = 0;
  virtual void progress(const RunProgress& progress) = 0;
  // Something a person should see now and that stays in the result: a blocked connection, a fault, a dead
  // process.
  virtual void notice(const std::string& text) = 0;
  // Around all that is told of one run.
  virtual void begin_run(const RunIdentity&) {}
  // Given its entry of the result.
  virtual void end_run(const Json&) {}
};

}  // namespace brokerlab
