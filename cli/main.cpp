#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "cli/command.h"
#include "cli/plain_load_options.h"

namespace {

using namespace brokerlab;

void add_commands(CLI::App& app, CommandContext& context) {
  add_run_command(app, context);
  add_search_command(app, context);
  add_list_command(app, context);
  add_init_command(app, context);
  add_validate_command(app, context);
  add_broker_command(app, context);
  add_role_command(app, context);
  add_load_command(app, context);
  add_report_command(app, context);
  add_plot_command(app, context);
  add_merge_command(app, context);
  add_export_command(app, context);
  add_compare_command(app, context);
  add_calibrate_command(app, context);
  add_gateway_command(app, context);
  add_cleanup_command(app, context);
  add_doctor_command(app, context);
  add_selftest_command(app, context);
  add_internal_commands(app, context);
}

// Everybody on the machine can read a command line: the passwords of URIs in it become asterisks. True when
// there was one.
bool hide_passwords(int argc, char** argv) {
  bool found = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word(argv[i]);
    // Several URIs may stand in one word.
    for (std::size_t scheme = word.find("://"); scheme != std::string_view::npos;
         scheme = word.find("://", scheme + 3)) {
      const std::size_t at = word.find('@', scheme);
      const std::size_t colon = word.find(':', scheme + 3);
      if (at == std::string_view::npos || colon >= at) continue;
      std::fill(argv[i] + colon + 1, argv[i] + at, '*');
      found = true;
    }
  }
  return found;
}

int exit_with(const Error& error) {
  std::fprintf(stderr, "brokerlab: %s\n", error.what());
  return static_cast<int>(error.status());
}

// A process may hold thousands of connections and timers; what a shell allows at first is 1,024.
void allow_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  constexpr rlim_t kEnough = 1 << 16;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnough));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE,
              SIG_IGN);  // a peer that goes away is an error of the write, not the end of the program
  allow_open_files();
  CLI::App app{"Declare an experiment on a message broker, run it, and get numbers that are true.",
               "brokerlab"};
  app.set_version_flag("--version", BROKERLAB_VERSION);
  app.require_subcommand(1);
  CommandContext context;
  context.command_line.assign(argv, argv + argc);
  add_commands(app, context);
  std::vector<std::string> long_names = with_long_names(context.command_line);
  std::vector<char*> words;
  for (std::string& word : long_names) words.push_back(word.data());
  if (hide_passwords(argc, argv)) {
    std::fputs(
        "warning: a password on the command line can be read by others; put the URI into BROKERLAB_BROKER\n",
        stderr);
  }
  try {
    app.parse(argc, words.data());
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
