#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/experiment_run.h"
#include "cli/live_options.h"
#include "core/error.h"

namespace brokerlab {

// Runs all experiments, or those until one fails; what was measured before a failure is reported with it.
// Prints the summary, or with `json` the results; `quiet` shows no progress.
ExitStatus run_all(const std::vector<Experiment>& experiments, const RunOptions& options, bool quiet,
                   bool json);

// What `run` and `search` have on their command lines.
struct RunCommandOptions {
  std::vector<std::string> experiments;
  bool all = false;
  std::string broker;
  std::string management;
  std::string calibration;
  bool tls_insecure = false;
  bool allow_faults = false;
  int nodes = 0;
  std::string out = "results";
  Overrides overrides;
  bool aa = false;
  bool dry_run = false;
  bool quiet = false;
  bool json = false;
  LiveOptions live;
};
void add_run_options(CLI::App& command, const std::shared_ptr<RunCommandOptions>& options);
ExitStatus run_experiments(RunCommandOptions& options, const CommandContext& context);

}  // namespace brokerlab
