#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/live_options.h"
#include "experiments/role_file.h"

namespace brokerlab {

// What the command line says of a role or load by hand.
struct HandOptions {
  std::string name;
  std::string broker;  // empty: not given
  bool tls_insecure = false;
  std::string log_dir = "logs";
  std::string ready_file;
  std::string id;
  int instances = 0;  // 0: as the file says
  RoleSettings settings;
  std::optional<double> rate;
  std::optional<std::int64_t> count;
  std::string duration;
  std::string management;
  bool open_management = false;
  bool load_only = false;
  LiveOptions live;

  std::string broker_or_default() const {
    return broker.empty() ? "amqp://guest:guest@127.0.0.1:5672" : broker;
  }
};

// A subcommand with the options of work by hand; what happens on a match is the caller's to say. `options`
// must outlive the parse.
CLI::App* add_hand_command(CLI::App& app, const std::string& name, const std::string& description,
                           HandOptions& options);
// Runs the role or load until it ends or Ctrl-C.
void run_by_hand(const HandOptions& options);

}  // namespace brokerlab
