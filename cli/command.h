#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/error.h"

namespace brokerlab {

// What the subcommands share: where they leave their exit status, and how the program was called.
struct CommandContext {
  std::vector<std::string> command_line;  // for the result's environment
  ExitStatus status = ExitStatus::kDone;
};

// One function per subcommand, each in the file of its name. They declare the options and what happens on a
// match; nothing is done before the whole command line has been understood. Errors leave as exceptions.
void add_run_command(CLI::App& app, CommandContext& context);
void add_search_command(CLI::App& app, CommandContext& context);
void add_list_command(CLI::App& app, CommandContext& context);
void add_init_command(CLI::App& app, CommandContext& context);
void add_validate_command(CLI::App& app, CommandContext& context);
void add_broker_command(CLI::App& app, CommandContext& context);
void add_role_command(CLI::App& app, CommandContext& context);
void add_load_command(CLI::App& app, CommandContext& context);
void add_report_command(CLI::App& app, CommandContext& context);
void add_plot_command(CLI::App& app, CommandContext& context);
void add_merge_command(CLI::App& app, CommandContext& context);
void add_export_command(CLI::App& app, CommandContext& context);
void add_compare_command(CLI::App& app, CommandContext& context);
void add_calibrate_command(CLI::App& app, CommandContext& context);
void add_gateway_command(CLI::App& app, CommandContext& context);
void add_cleanup_command(CLI::App& app, CommandContext& context);
void add_doctor_command(CLI::App& app, CommandContext& context);
void add_selftest_command(CLI::App& app, CommandContext& context);
// `process`, `guard` and `task`: what the program runs as when it starts itself. Not for people, so not in
// the help.
void add_internal_commands(CLI::App& app, CommandContext& context);

// Adds an option that is also the environment variable BROKERLAB_<NAME>: --tls-insecure is
// BROKERLAB_TLS_INSECURE.
template <typename Value>
CLI::Option* add_option(CLI::App& command, const std::string& names, Value& value,
                        const std::string& description);
CLI::Option* add_switch(CLI::App& command, const std::string& names, bool& value,
                        const std::string& description);
// "BROKERLAB_TLS_INSECURE" from "-k,--tls-insecure".
std::string environment_name(const std::string& names);

template <typename Value>
CLI::Option* add_option(CLI::App& command, const std::string& names, Value& value,
                        const std::string& description) {
  return command.add_option(names, value, description)->envname(environment_name(names));
}

}  // namespace brokerlab
