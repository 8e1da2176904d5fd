#include <csignal>
#include <cstdio>

#include "cli/command.h"

namespace {

using namespace brokerlab;

void add_commands(CLI::App& app, CommandContext& context) {
  add_run_command(app, context);
  add_list_command(app, context);
  add_init_command(app, context);
  add_validate_command(app, context);
  add_broker_command(app, context);
  add_report_command(app, context);
  add_plot_command(app, context);
  add_cleanup_command(app, context);
  add_doctor_command(app, context);
  add_internal_commands(app, context);
}

int exit_with(const Error& error) {
  std::fprintf(stderr, "brokerlab: %s\n", error.what());
  return static_cast<int>(error.status());
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE,
              SIG_IGN);  // a peer that goes away is an error of the write, not the end of the program
  CLI::App app{"Declare an experiment on a message broker, run it, and get numbers that are true.",
               "brokerlab"};
  app.set_version_flag("--version", BROKERLAB_VERSION);
  app.require_subcommand(1);
  CommandContext context;
  context.command_line.assign(argv, argv + argc);
  add_commands(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are answers; everything else is wrong usage.
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::kUsage);
  } catch (const Error& error) {
    return exit_with(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "brokerlab: %s\n", error.what());
    return static_cast<int>(ExitStatus::kFailed);
  }
  return static_cast<int>(context.status);
}
