#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include "cli/command.h"
#include "cli/hand_command.h"
#include "cli/plain_load_options.h"
#include "cli/run_command.h"
#include "experiments/description.h"

namespace brokerlab {
namespace {

// `brokerlab load ROLE` is one load generator by hand; without a name it is an experiment made of options.
struct LoadOptions {
  HandOptions hand;
  PlainLoad plain;
  Overrides overrides;
  std::string uris;
  std::string save;
  std::string out = "results";
  bool dry_run = false, quiet = false, json = false;
};

constexpr char kSource[] = "the options of brokerlab load";
constexpr const char* kOnlyByHand[] = {"--variant", "--instances", "--log-dir",        "--ready-file",
                                       "--count",   "--duration",  "--open-management"};

[[noreturn]] void refuse(const std::string& option, const std::string& what, const std::string& remedy) {
  throw Error(what, option, remedy, ExitStatus::kUsage);
}

void refuse_mixture(const CLI::App& command, const LoadOptions& options) {
  const bool by_hand = !options.hand.name.empty();
  if (by_hand) {
    const auto given = given_plain_load_options(command);
    if (!given.empty())
      refuse(given.front(), "this option describes a plain load test, and a role file does so, too",
             "leave out the name of the role, or use --set for what its file says");
    return;
  }
  for (const char* name : kOnlyByHand) {
    if (command.get_option(name)->count() > 0)
      refuse(name, "this option is for a load by hand",
             "name a role that `brokerlab list` shows, or leave it out");
  }
}

void save(const Json& experiment, const std::string& path) {
  const std::string text = experiment.dump(2) + "\n";
  if (path == "-") {
    std::fputs(text.c_str(), stdout);
    return;
  }
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw Error("cannot write the file", path, "name a file in a folder you may write to");
}

ExitStatus run_plain_load(const CLI::App& command, LoadOptions& options, const CommandContext& context) {
  const live::Wanted live = wanted_of(options.hand.live);
  for (const std::string& note : notes_on_options(command)) fmt::print(stderr, "note: {}\n", note);
  PlainLoad& plain = options.plain;
  if (!options.hand.id.empty()) plain.name = options.hand.id;
  plain.rate = options.hand.rate;
  const Json document = experiment_of(plain);
  options.overrides.set = options.hand.settings.set;
  const Experiment experiment = make_experiment(document, kSource, options.overrides);
  for (const Problem& warning : experiment.warnings) fmt::print(stderr, "{}\n", warning.text());
  if (!options.save.empty()) {
    save(document, options.save);
    return ExitStatus::kDone;
  }
  if (options.dry_run) {
    std::fputs(dry_run_text(experiment, make_plan(experiment)).c_str(), stdout);
    return ExitStatus::kDone;
  }
  RunOptions run;
  const std::string& broker = options.uris.empty() ? options.hand.broker : options.uris;
  if (!broker.empty()) run.broker_uri = broker;
  if (!options.hand.management.empty()) run.management_uri = options.hand.management;
  run.tls_insecure = options.hand.tls_insecure;
  run.out = options.out;
  run.command_line = context.command_line;
  run.live = live;
  return run_all({experiment}, run, options.quiet, options.json);
}

}  // namespace

void add_load_command(CLI::App& app, CommandContext& context) {
  const auto options = std::make_shared<LoadOptions>();
  options->hand.load_only = true;
  CLI::App* command = add_hand_command(
      app, "load", "one load generator by hand, or without a name a plain load test in one command",
      options->hand);
  add_option(*command, "-r,--rate", options->hand.rate, "messages per second of each publisher")
      ->check(CLI::PositiveNumber);
  add_option(*command, "--count", options->hand.count, "by hand: messages of each instance; 0: until Ctrl-C")
      ->check(CLI::NonNegativeNumber);
  add_option(*command, "--duration", options->hand.duration, "by hand: how long, e.g. 30s");
  add_plain_load_options(*command, options->plain);
  add_option(*command, "-H,--uris", options->uris, "nodes of a broker, separated by commas");
  add_option(*command, "--save-experiment", options->save,
             "write the experiment to this file (-: standard output) instead of running it");
  add_option(*command, "--out", options->out, "folder for results")->capture_default_str();
  add_option(*command, "--repeat", options->overrides.repetitions, "repetitions");
  add_option(*command, "--seed", options->overrides.seed, "seed of all that is random");
  add_switch(*command, "--dry-run", options->dry_run, "say what would be done");
  add_switch(*command, "--quiet", options->quiet, "no progress");
  add_switch(*command, "--json", options->json, "the result on standard output");
  add_live_options(*command, options->hand.live);
  add_prometheus_options(*command, options->hand.live);
  command->callback([options, command, &context] {
    std::vector<std::string> words;
    give_back_words(options->hand.live, words);
    if (!words.empty() && !options->hand.name.empty())
      refuse("--ui", "\"" + words.front() + "\" is no address to listen on", "give HOST:PORT, or nothing");
    if (!words.empty()) options->hand.name = words.front();
    refuse_mixture(*command, *options);
    if (!options->hand.name.empty()) return run_by_hand(options->hand);
    context.status = run_plain_load(*command, *options, context);
  });
}

}  // namespace brokerlab
