#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/lease.h"
#include "core/clock.h"
#include "core/json.h"
#include "experiments/experiment.h"
#include "experiments/interrupts.h"
#include "experiments/run_observer.h"
#include "live/service.h"

namespace brokerlab {

// What the command line says about the broker and the place of the results.
struct RunOptions {
  std::optional<std::string> broker_uri;
  bool simulated = false;                     // whatever the experiment says; else as it says
  Json calibration;                           // for simulated brokers; null: none
  std::optional<std::string> management_uri;  // derived from the broker's address by default
  bool tls_insecure = false;
  bool allow_faults = false;  // on a broker that is not ours
  std::optional<int> nodes;
  std::filesystem::path out = "results";
  std::vector<std::string> command_line;
  live::Wanted live;
};

// The broker of one `brokerlab run`: opened when first needed, kept for the next experiment when that asks
// for the same kind of broker, replaced when not. Controller, one thread.
class BrokerRoom {
 public:
  BrokerRoom(const RunOptions& options, const Clock& clock, const Interrupts& interrupts,
             RunObserver& observer);

  // The broker as this experiment wants it. Throws Error as Lease::open does.
  Lease& open(const Experiment& experiment);
  void close();

 private:
  const RunOptions& options_;
  const Clock& clock_;
  const Interrupts& interrupts_;
  RunObserver& observer_;
  Json wanted_;
  std::unique_ptr<Lease> lease_;
};

// Whether this experiment asks for no broker but a simulation. Throws Error (kUsage) when the options do not
// go with that, or its variants disagree.
bool wants_simulation(const Experiment& experiment, const RunOptions& options);

// Where an experiment ended up.
struct ExperimentOutcome {
  std::filesystem::path folder;
  Json result;
  // What ended it early, after the runs before it were saved.
  std::optional<Error> failure;
};

// Runs every run of the experiment's plan and saves result.json after each of them, so that nothing measured
// is lost whatever comes next. Throws Error only while there is nothing to save.
ExperimentOutcome run_experiment(const Experiment& experiment, const RunOptions& options, BrokerRoom& room,
                                 const Clock& clock, const Interrupts& interrupts, RunObserver& observer);

}  // namespace brokerlab
