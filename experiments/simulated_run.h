#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker_costs.h"
#include "broker/simulated_broker.h"
#include "broker/virtual_time.h"
#include "core/clock.h"
#include "core/json.h"
#include "experiments/interrupts.h"
#include "experiments/plan.h"
#include "experiments/queue_probe.h"
#include "experiments/run_observer.h"
#include "experiments/run_process.h"
#include "experiments/simulated_faults.h"
#include "experiments/simulated_messages.h"
#include "experiments/simulated_process.h"
#include "experiments/simulated_watch.h"

namespace brokerlab {

class SimulatedRole;
class SimulatedLoad;

struct SimulatedSetting {
  std::filesystem::path folder;  // exists; recordings and evidence.json go here
  std::uint64_t run_number = 0;
  std::string title;
  Json calibration;  // of `brokerlab calibrate`; null: none
};

// One variant, once, in virtual time: no broker, no processes, no waiting, and the same recordings and the
// same evidence as Run leaves, so that everything after it is the same. The same seed gives the same
// recordings. Controller, one thread.
class SimulatedRun final : private SimulatedTargets {
 public:
  // Throws Error (kUsage) naming what the plan declares and a simulation does not model.
  SimulatedRun(const PlannedRun& plan, const SimulatedSetting& setting, const Interrupts& interrupts,
               RunObserver& observer);
  ~SimulatedRun() override;

  // Returns the evidence, which also stands in evidence.json. Throws Error when messages go round without
  // time passing.
  Json execute();

 private:
  void spawn(const PlannedProcess& planned, const std::string& name);
  void run_load();
  void subscribe_late_roles();
  void drain();
  void stop_roles();
  // Lets things happen until `over` says so, nothing is left to happen, or the limit or an interrupt ends it;
  // true for the first two.
  template <class Over>
  bool go_on_until(Nanoseconds limit, Over over);
  bool step(Nanoseconds limit);
  void change_membership();
  void look_around();
  bool empty() const;
  std::size_t in_hand() const;
  void close_processes();
  Json evidence();
  Json queues_evidence() const;

  SimulatedProcess* alive(const std::string& planned_name);
  Nanoseconds now() const override { return time_.now(); }
  bool kill(const std::string& process) override;
  bool pause(const std::string& process, bool paused) override;
  bool hang(const std::string& process, bool hangs) override;
  bool slow(const std::string& process, double factor, Nanoseconds add_ns) override;
  void restart(const std::string& process) override;
  void pause_broker(bool paused) override;
  void notice(const std::string& text) override;

  struct Membership {
    Nanoseconds at_ns = 0;  // from the start of the load
    Binding binding;
    bool join = true;
  };

  const PlannedRun& plan_;
  const SimulatedSetting& setting_;
  const Interrupts& interrupts_;
  RunObserver& observer_;
  const int interrupts_before_;
  const Topology topology_;
  const BrokerCosts costs_;

  VirtualTime time_;
  SimulatedBroker broker_;
  SimulatedWatch watch_;
  SimulatedMessages messages_;
  SimulatedWorld world_;
  std::vector<std::unique_ptr<SimulatedLoad>> loads_;
  std::vector<std::unique_ptr<SimulatedRole>> roles_;
  std::vector<std::unique_ptr<RunProcess>> processes_;  // how each ended, for the evidence
  SimulatedFaults faults_;
  std::vector<Membership> changes_;  // by time; the next ones last
  std::vector<Binding> present_;     // bindings there are now, in the order in which they were made
  Json membership_report_ = Json::array();

  std::size_t publishing_ = 0;  // instances that have not finished
  std::uint64_t events_ = 0;
  std::uint64_t events_at_this_instant_ = 0;
  Nanoseconds load_end_ns_ = 0, drain_end_ns_ = 0;
  std::string drain_reason_;
  bool aborted_ = false;
  Json notices_ = Json::array();
};

}  // namespace brokerlab
