#include "cli/run_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "analysis/calibration.h"
#include "analysis/report.h"
#include "analysis/summary_text.h"
#include "cli/command.h"
#include "cli/experiment_run.h"
#include "cli/live_options.h"
#include "cli/terminal.h"
#include "core/ids.h"
#include "experiments/catalogue.h"
#include "experiments/description.h"

namespace brokerlab {
namespace {

// Summaries of so many experiments are read one by one; of more, a line each.
constexpr std::size_t kMostSummaries = 3;
// Instead of the address of a broker.
constexpr std::string_view kSimulated = "simulated";
// Wilcoxon's test of fewer pairs is never significant.
constexpr int kLeastForAa = 6;

// Every experiment of the catalogue; suites only name others of it.
std::vector<std::string> whole_catalogue() {
  std::vector<std::string> names;
  for (const CatalogueEntry& entry : catalogue_experiments()) {
    if (!entry.suite) names.push_back(entry.name);
  }
  return names;
}

std::vector<Experiment> load_all(const RunCommandOptions& options) {
  if (options.all == !options.experiments.empty()) {
    throw Error("which experiments?", "", "name some of those that `brokerlab list` shows, or give --all",
                ExitStatus::kUsage);
  }
  std::vector<Experiment> experiments;
  for (const std::string& name : options.all ? whole_catalogue() : options.experiments) {
    for (Experiment& experiment : load_experiments(name, options.overrides)) {
      if (options.aa) add_aa(experiment);
      experiments.push_back(std::move(experiment));
    }
  }
  return experiments;
}

// The worst of what happened, as the exit status of the command line says it.
ExitStatus status_of(const std::vector<ExperimentOutcome>& outcomes) {
  ExitStatus status = ExitStatus::kDone;
  for (const ExperimentOutcome& outcome : outcomes) {
    const std::string verdict = outcome.result["verdict"]["status"];
    // One that a threshold ended early is unknown for that reason alone.
    const bool stopped = outcome.result.contains("stopped_by") && verdict != "invalid";
    if (outcome.result.value("aborted", false) && !outcome.failure && !stopped)
      return ExitStatus::kInterrupted;
    if (outcome.failure || (verdict != "valid" && !stopped)) status = ExitStatus::kFailed;
    if (status == ExitStatus::kFailed) continue;
    for (const Json& threshold : outcome.result["thresholds"]) {
      if (!threshold["ok"].get<bool>()) status = ExitStatus::kThresholdMissed;
    }
  }
  return status;
}

// One report for all of them: beside the only result, or in a folder of its own.
std::filesystem::path write_reports(const std::vector<ExperimentOutcome>& outcomes,
                                    const std::filesystem::path& out) {
  std::vector<Json> results;
  for (const ExperimentOutcome& outcome : outcomes) {
    write_report({outcome.result}, outcome.folder / "report.html");
    results.push_back(outcome.result);
  }
  if (outcomes.size() == 1) return outcomes.front().folder / "report.html";
  const std::filesystem::path folder = out / "suite" / RunId::make().text;
  std::filesystem::create_directories(folder);
  write_report(results, folder / "report.html");
  return folder / "report.html";
}

void print_lines(const std::vector<ExperimentOutcome>& outcomes) {
  for (const ExperimentOutcome& outcome : outcomes) {
    const Json& verdict = outcome.result["verdict"];
    fmt::print("{:<20} {:<8} {:>2} runs  {}\n", outcome.result["experiment"].get<std::string>(),
               verdict["status"].get<std::string>(), outcome.result["runs"].size(),
               (outcome.folder / "result.json").string());
    for (const Json& reason : verdict["reasons"]) fmt::print("  {}\n", reason.get<std::string>());
  }
  fmt::print("\n");
}

void print_summaries(const std::vector<ExperimentOutcome>& outcomes) {
  if (outcomes.size() > kMostSummaries) return print_lines(outcomes);
  SummaryTextOptions text;
  text.colour = colours_wanted(STDOUT_FILENO);
  for (const ExperimentOutcome& outcome : outcomes) {
    fmt::print("{}\nresult: {}\n\n", summary_text(outcome.result, text),
               (outcome.folder / "result.json").string());
  }
}

void print_json(const std::vector<ExperimentOutcome>& outcomes) {
  Json all = Json::array();
  for (const ExperimentOutcome& outcome : outcomes) all.push_back(outcome.result);
  fmt::print("{}\n", (outcomes.size() == 1 ? all[0] : all).dump(2));
}

live::Outcome outcome_of(const std::vector<ExperimentOutcome>& outcomes, const std::filesystem::path& report,
                         const std::optional<Error>& failure) {
  live::Outcome outcome;
  for (const ExperimentOutcome& each : outcomes) {
    const Json& verdict = each.result.at("verdict");
    outcome.results.push_back({each.result.at("experiment"), verdict.at("status"),
                               (each.folder / "result.json").string(),
                               verdict.at("reasons").get<std::vector<std::string>>()});
  }
  outcome.report = std::filesystem::absolute(report).string();
  if (failure) outcome.failure = failure->what();
  return outcome;
}

}  // namespace

ExitStatus run_all(const std::vector<Experiment>& experiments, const RunOptions& options, bool quiet,
                   bool json) {
  const MonotonicClock clock;
  const Interrupts interrupts;
  std::unique_ptr<RunObserver> shown = make_observer(progress_style(quiet));
  const std::unique_ptr<live::Service> live = watched(options.live, clock, *shown);
  RunObserver& observer = live ? live->observer() : *shown;
  std::vector<ExperimentOutcome> outcomes;
  std::optional<Error> failure;
  {
    BrokerRoom room(options, clock, interrupts, observer);
    for (const Experiment& experiment : experiments) {
      if (interrupts.count() > 0) break;
      try {
        outcomes.push_back(run_experiment(experiment, options, room, clock, interrupts, observer));
        failure = outcomes.back().failure;
      } catch (const Error& error) {
        if (live && outcomes.empty()) live->finish({{}, "", error.what()});
        if (outcomes.empty()) throw;
        failure = error;
      }
      if (failure) break;
    }
    observer.stage("closing the broker");
    room.close();
  }
  const std::filesystem::path report = write_reports(outcomes, options.out);
  if (live) live->finish(outcome_of(outcomes, report, failure));
  shown.reset();  // the live table makes room for the summary
  if (json) {
    print_json(outcomes);
  } else {
    print_summaries(outcomes);
    fmt::print("report: {}\n", report.string());
  }
  if (failure) {
    fmt::print(stderr, "brokerlab: {}\n", failure->what());
    return failure->status();
  }
  return interrupts.count() > 0 ? ExitStatus::kInterrupted : status_of(outcomes);
}

ExitStatus run_experiments(RunCommandOptions& options, const CommandContext& context) {
  give_back_words(options.live, options.experiments);
  const live::Wanted live = wanted_of(options.live);
  const std::vector<Experiment> experiments = load_all(options);
  for (const Experiment& experiment : experiments) {
    for (const Problem& warning : experiment.warnings) fmt::print(stderr, "{}\n", warning.text());
    if (options.aa && experiment.repetitions < kLeastForAa)
      fmt::print(stderr, "warning: {}: A/A tells nothing with fewer than {} repetitions: --repeat {}\n",
                 experiment.name, kLeastForAa, kLeastForAa);
  }
  if (options.dry_run) {
    for (const Experiment& experiment : experiments) {
      std::fputs(dry_run_text(experiment, make_plan(experiment)).c_str(), stdout);
    }
    return ExitStatus::kDone;
  }
  RunOptions run_options;
  run_options.simulated = options.broker == kSimulated;
  if (!options.broker.empty() && !run_options.simulated) run_options.broker_uri = options.broker;
  if (!options.calibration.empty()) run_options.calibration = read_calibration(options.calibration);
  if (!options.management.empty()) run_options.management_uri = options.management;
  if (options.nodes > 0) run_options.nodes = options.nodes;
  run_options.tls_insecure = options.tls_insecure;
  run_options.allow_faults = options.allow_faults;
  run_options.out = options.out;
  run_options.command_line = context.command_line;
  run_options.live = live;
  return run_all(experiments, run_options, options.quiet, options.json);
}

void add_run_options(CLI::App& app, const std::shared_ptr<RunCommandOptions>& options) {
  CLI::App* command = &app;
  Overrides& overrides = options->overrides;
  command->add_option("EXPERIMENT", options->experiments, "files, or names that `brokerlab list` shows");
  add_switch(*command, "--all", options->all, "every experiment of the catalogue, with one report");
  add_switch(*command, "--quick", overrides.quick, "the short form that each experiment declares of itself");
  add_option(*command, "--broker", options->broker,
             "amqp[s]://user:password@host:port/vhost of an existing broker; or simulated");
  add_option(*command, "--calibration", options->calibration,
             "what `brokerlab calibrate` wrote, for a simulated broker");
  add_option(*command, "--management", options->management,
             "management API of that broker; http://its-host:15672 by default");
  add_switch(*command, "--tls-insecure", options->tls_insecure, "do not verify the broker's certificate");
  add_switch(*command, "--allow-faults", options->allow_faults,
             "let close-connection and delete-queue hit the broker of --broker");
  add_option(*command, "--nodes", options->nodes, "nodes of the private broker")->check(CLI::Range(1, 5));
  add_option(*command, "--out", options->out, "folder for results")->capture_default_str();
  command
      ->add_option("--set", overrides.set,
                   "PATH=VALUE: change the experiment, e.g. roles.0.consume.prefetch=5")
      ->allow_extra_args(false);
  command->add_option("--variant", overrides.variants, "only this variant; may be repeated")
      ->allow_extra_args(false);
  add_option(*command, "--repeat", overrides.repetitions, "repetitions of each variant");
  add_option(*command, "--seed", overrides.seed, "seed of all that is random");
  add_option(*command, "--duration", overrides.duration, "length of the measure phase, e.g. 30s");
  add_switch(*command, "--aa", options->aa,
             "run the first variant against itself too: what differs then, differs by chance");
  add_switch(*command, "--dry-run", options->dry_run, "say what would be done");
  add_switch(*command, "--quiet", options->quiet, "no progress");
  add_switch(*command, "--json", options->json, "the result on standard output");
  add_live_options(*command, options->live);
}

void add_run_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("run", "run experiments");
  const auto options = std::make_shared<RunCommandOptions>();
  add_run_options(*command, options);
  command->callback([options, &context] { context.status = run_experiments(*options, context); });
}

}  // namespace brokerlab
