#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "experiments/plan.h"

namespace brokerlab {

// Texts for people about experiments. The command line prints them.

// `run --dry-run`: topology, messages, duration, processes, variants and their order.
std::string dry_run_text(const Experiment& experiment, const Plan& plan);

// `list`: experiments and roles, a line each; `all` adds the known answers.
std::string list_text(bool all = false);

// `init`: a commented experiment to start from.
std::string init_text(const std::string& name);

// `validate`: every problem of every experiment or role file, or what a valid one contains.
struct ValidationReport {
  std::string text;
  ExitStatus status = ExitStatus::kDone;
};
ValidationReport validate(const std::vector<std::string>& names_or_paths);

}  // namespace brokerlab
