#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>

#include "broker/management.h"
#include "cli/command.h"
#include "cli/hand_command.h"
#include "cli/hand_console.h"
#include "cli/terminal.h"
#include "experiments/catalogue.h"
#include "experiments/hand_run.h"

namespace brokerlab {
namespace {

constexpr char kNoEnd[] = "87600h";

// What the options mean, as patches of the role file.
RoleSettings settings_of(const HandOptions& options, const Json& document) {
  RoleSettings settings = options.settings;
  const auto add = [&](const std::string& option, Json patch) {
    settings.options.emplace_back(option, std::move(patch));
  };
  const bool has_id = document.contains("parameters") && document["parameters"].contains("id");
  if (!options.id.empty() && has_id) settings.set.push_back("id=" + options.id);
  if (options.instances > 0) {
    const char* entry = document.contains("role") && !options.load_only ? "role" : "load";
    add(fmt::format("--instances {}", options.instances), {{entry, {{"instances", options.instances}}}});
  }
  if (options.rate) {
    const std::string option = fmt::format("--rate {}", *options.rate);
    add(option, {{"load", {{"arrivals", nullptr}}}});
    add(option, {{"load", {{"arrivals", {{"process", "constant"}, {"rate", *options.rate}}}}}});
  }
  // Who gives a rate or a time wants a stream, not the one message that the file may stop at.
  const bool stream = options.count ? *options.count == 0 : options.rate || !options.duration.empty();
  if (stream) {
    add("--count 0", {{"load", {{"stop", nullptr}}}});
    add("--count 0", {{"load", {{"stop", {{"after", kNoEnd}}}}}});
  } else if (options.count) {
    add(fmt::format("--count {}", *options.count), {{"load", {{"stop", {{"count", *options.count}}}}}});
  }
  if (!options.duration.empty()) {
    add("--duration " + options.duration, {{"load", {{"stop", {{"after", options.duration}}}}}});
  }
  return settings;
}

RoleDeclaration declared(const HandOptions& options, const SourceFile& source) {
  RoleDeclaration role = load_role(source, settings_of(options, source.document));
  if (!options.load_only) return role;
  if (role.experiment["load"].empty()) {
    throw Error("\"" + role.name + "\" publishes nothing of itself", source.file.string(),
                "brokerlab role " + role.name + " runs it", ExitStatus::kUsage);
  }
  role.experiment["roles"] = Json::array();
  return role;
}

bool at_a_terminal() { return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0; }

// Starts the desktop's browser and does not wait for it.
void open_management(const HandOptions& options) {
  const std::string page = options.management.empty()
                               ? Management::from_amqp(options.broker_or_default())->uri()
                               : options.management;
  if (!at_a_terminal()) {
    fmt::print("not opened, for there is no terminal: {}\n", page);
    return;
  }
  std::string program = "xdg-open", address = page;
  char* words[] = {program.data(), address.data(), nullptr};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&quiet, descriptor, "/dev/null", O_RDWR, 0);
  }
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, program.c_str(), &quiet, nullptr, words, environ);
  posix_spawn_file_actions_destroy(&quiet);
  fmt::print("{} {}\n", failed == 0 ? "opening" : "cannot open (is xdg-open installed?)", page);
}

// Asks everything the role wants to know before a message. Nothing when the person has had enough.
std::optional<std::vector<std::string>> answers(const std::vector<RoleQuestion>& questions,
                                                const Interrupts& interrupts) {
  std::vector<std::string> settings;
  for (const RoleQuestion& question : questions) {
    fmt::print("{} ({} to {}, empty for a random one; Ctrl-D ends): ", question.text, question.from,
               question.to);
    std::fflush(stdout);
    std::string line;
    if (!std::getline(std::cin, line) || interrupts.count() > 0) {
      fmt::print("\n");
      return std::nullopt;
    }
    const bool digits =
        !line.empty() && line.size() < 10 && line.find_first_not_of("0123456789") == std::string::npos;
    const std::int64_t number = digits ? std::stoll(line) : -1;
    if (digits && number >= question.from && number <= question.to) {
      settings.push_back(question.parameter + "=" + std::to_string(number));
    } else if (!line.empty()) {
      fmt::print("not a number from {} to {}: a random one is taken\n", question.from, question.to);
    }
  }
  return settings;
}

class HandSession {
 public:
  HandSession(const HandOptions& options, SourceFile source)
      : options_(options),
        source_(std::move(source)),
        quiet_(make_observer(ProgressStyle::kQuiet)),
        live_(watched(wanted_of(options.live), clock_, *quiet_)),
        console_(clock_, isatty(STDOUT_FILENO) != 0, live_ ? &live_->observer() : nullptr) {}

  void run() {
    const RoleDeclaration role = declared(options_, source_);
    for (const Problem& warning : role.warnings) fmt::print(stderr, "{}\n", warning.text());
    if (options_.open_management) open_management(options_);
    if (role.questions.empty() || !at_a_terminal()) {
      run_once(role);
    } else {
      run_asking(role.questions);
    }
    if (live_) live_->finish({});
  }

 private:
  void run_once(const RoleDeclaration& role) {
    HandRun(role,
            {"/proc/self/exe", options_.log_dir, options_.broker_or_default(), options_.tls_insecure,
             options_.ready_file, options_.id},
            clock_, interrupts_, console_)
        .execute();
  }

  // One message after each round of questions; --count bounds the rounds.
  void run_asking(const std::vector<RoleQuestion>& questions) {
    for (std::int64_t sent = 0; !options_.count || *options_.count == 0 || sent < *options_.count; ++sent) {
      const auto settings = answers(questions, interrupts_);
      if (!settings) return;
      HandOptions once = options_;
      once.count = 1;
      once.settings.set.insert(once.settings.set.end(), settings->begin(), settings->end());
      run_once(declared(once, source_));
      if (interrupts_.count() > 0) return;
    }
  }

  const HandOptions& options_;
  SourceFile source_;
  MonotonicClock clock_;
  Interrupts interrupts_;
  std::unique_ptr<RunObserver> quiet_;  // the console shows every step already
  std::unique_ptr<live::Service> live_;
  HandConsole console_;
};

}  // namespace

void run_by_hand(const HandOptions& options) {
  HandSession(options, read_source_file(find_role(options.name))).run();
}

CLI::App* add_hand_command(CLI::App& app, const std::string& name, const std::string& description,
                           HandOptions& options) {
  CLI::App* command = app.add_subcommand(name, description);
  if (options.load_only) command->set_help_flag("--help,-?", "Print this help message and exit");
  CLI::Option* role =
      command->add_option("ROLE", options.name, "a name that `brokerlab list` shows, or a role file");
  if (!options.load_only) role->required();
  // With PerfTest's names where it has some.
  add_option(*command, options.load_only ? "--broker,-h,--uri" : "--broker", options.broker,
             "amqp[s]://user:password@host:port/vhost");
  add_switch(*command, "--tls-insecure", options.tls_insecure, "do not verify the broker's certificate");
  add_option(*command, "--variant", options.settings.variant, "variant of the role file");
  add_option(*command, "--set", options.settings.set,
             "NAME=VALUE of a parameter of the role file, or PATH=VALUE of anything in it; may be repeated")
      ->allow_extra_args(false);
  add_option(*command, options.load_only ? "-d,--id" : "--id", options.id,
             "what sets this one apart from others of its kind");
  add_option(*command, "--instances", options.instances, "how many of it in this process")
      ->check(CLI::Range(1, 10000));
  add_option(*command, "--log-dir", options.log_dir, "folder for a log file per process")
      ->capture_default_str();
  add_option(*command, "--ready-file", options.ready_file,
             "file that is there while all processes are connected, for health checks");
  add_option(*command, "--management", options.management,
             "the broker's management page; http://its-host:15672 by default");
  add_switch(*command, "--open-management", options.open_management,
             "open the broker's management page, on a terminal only");
  return command;
}

void add_role_command(CLI::App& app, CommandContext&) {
  const auto options = std::make_shared<HandOptions>();
  CLI::App* command = add_hand_command(app, "role", "one role by hand, until Ctrl-C", *options);
  add_live_options(*command, options->live);
  command->callback([options] { run_by_hand(*options); });
}

}  // namespace brokerlab
