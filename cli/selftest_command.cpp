#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "analysis/known_answers.h"
#include "cli/command.h"
#include "cli/experiment_run.h"
#include "cli/terminal.h"
#include "experiments/experiment.h"

namespace brokerlab {
namespace {

struct SelftestOptions {
  std::vector<std::string> only;
  std::string out = "results/selftest";
  bool quiet = false;
  bool json = false;
};

// "S1" is of the experiment s1-s5-short, and so is "s5"; an experiment may be named itself, too.
bool wanted(const KnownAnswer& answer, const std::vector<std::string>& only) {
  if (only.empty()) return true;
  return std::any_of(only.begin(), only.end(), [&](const std::string& name) {
    return CLI::detail::to_lower(name) == CLI::detail::to_lower(answer.name);
  });
}

// Which experiments hold the wanted cases: a sheet filled from nothing names its cases.
std::vector<KnownAnswerExperiment> chosen(const std::vector<std::string>& only) {
  std::vector<KnownAnswerExperiment> experiments;
  std::string known;
  for (const KnownAnswerExperiment& candidate : known_answer_experiments()) {
    const std::string name = std::filesystem::path(candidate.experiment).filename();
    const std::vector<KnownAnswer> empty = known_answers({{"experiment", name}, {"runs", Json::array()}});
    if (std::any_of(empty.begin(), empty.end(), [&](const KnownAnswer& a) { return wanted(a, only); }))
      experiments.push_back(candidate);
    for (const KnownAnswer& answer : empty)
      if (known.find(answer.name) == std::string::npos) known += (known.empty() ? "" : ", ") + answer.name;
  }
  if (experiments.empty()) throw Error("no such case", "--case", "cases are " + known, ExitStatus::kUsage);
  return experiments;
}

void print_table(const std::vector<KnownAnswer>& answers) {
  std::size_t width = 0;
  for (const KnownAnswer& answer : answers) width = std::max(width, answer.what.size());
  const bool colour = colours_wanted(STDOUT_FILENO);
  fmt::print("{:<5} {:<{}}  {:>16}  {:>14}  {:>9}\n", "case", "", width, "expected", "measured", "tolerance");
  std::string before;
  for (const KnownAnswer& answer : answers) {
    const std::string verdict = answer.ok() ? "pass" : "FAIL";
    const char* begin = !colour ? "" : answer.ok() ? "\x1b[32m" : "\x1b[31m";
    fmt::print("{:<5} {:<{}}  {:>16}  {:>14}  {:>9}  {}{}{}\n", answer.name == before ? "" : answer.name,
               answer.what, width, answer.expected_text(), answer.measured_text(), answer.tolerance_text(),
               begin, verdict, colour ? "\x1b[0m" : "");
    before = answer.name;
  }
}

struct Findings {
  std::vector<KnownAnswer> answers;
  std::map<std::string, int> doubts;  // flags of the host and the generator that failed, and in how many runs
};

// A machine that is busy with something else shows in these, before it shows in the figures.
void count_doubts(const Json& result, std::map<std::string, int>& doubts) {
  for (const Json& run : result["runs"])
    for (const Json& flag : run["flags"])
      for (const char* name : {"CPU_STEAL", "CPU_PRESSURE", "HICCUP", "GENERATOR_BOUND", "EFFORT_OVERSHOOT"})
        if (flag["name"] == name && flag["state"] == "fail") ++doubts[name];
}

std::string to_text(const std::map<std::string, int>& doubts) {
  std::string text;
  for (const auto& [name, runs] : doubts)
    text += fmt::format("{}{} in {} run{}", text.empty() ? "" : ", ", name, runs, runs == 1 ? "" : "s");
  return text.empty() ? "no flag of the host or the generator failed" : "flags that failed: " + text;
}

// Runs them one after the other on private brokers.
Findings run_all(const std::vector<KnownAnswerExperiment>& experiments, const SelftestOptions& options,
                 const CommandContext& context, const Interrupts& interrupts) {
  const MonotonicClock clock;
  const std::unique_ptr<RunObserver> observer = make_observer(progress_style(options.quiet));
  RunOptions run_options;
  run_options.out = options.out;
  run_options.command_line = context.command_line;
  BrokerRoom room(run_options, clock, interrupts, *observer);
  Findings findings;
  for (const KnownAnswerExperiment& chosen : experiments) {
    if (interrupts.count() > 0) break;
    Overrides overrides;
    if (!chosen.variant.empty()) overrides.variants.emplace_back(chosen.variant);
    for (const Experiment& experiment : load_experiments(std::string(chosen.experiment), overrides)) {
      const ExperimentOutcome outcome =
          run_experiment(experiment, run_options, room, clock, interrupts, *observer);
      for (KnownAnswer& answer : known_answers(outcome.result))
        if (wanted(answer, options.only)) findings.answers.push_back(std::move(answer));
      count_doubts(outcome.result, findings.doubts);
    }
  }
  room.close();
  return findings;
}

void print(const Findings& findings, std::size_t failed, const std::string& folder) {
  print_table(findings.answers);
  fmt::print("\n{} of {} known answers found\nresults: {}\n", findings.answers.size() - failed,
             findings.answers.size(), folder);
  std::fflush(stdout);
  if (failed > 0)
    fmt::print(stderr,
               "brokerlab: {} figures are not what they must be ({}): let nothing else run and try again\n",
               failed, to_text(findings.doubts));
}

ExitStatus selftest(const SelftestOptions& options, const CommandContext& context) {
  const std::vector<KnownAnswerExperiment> experiments = chosen(options.only);
  const Interrupts interrupts;
  const Findings findings = run_all(experiments, options, context, interrupts);
  const auto& answers = findings.answers;
  const auto failed = std::count_if(answers.begin(), answers.end(), [](const auto& a) { return !a.ok(); });
  if (options.json) {
    Json all = Json::array();
    for (const KnownAnswer& answer : answers) all.push_back(to_json(answer));
    fmt::print("{}\n", all.dump(2));
  } else {
    print(findings, static_cast<std::size_t>(failed), options.out);
  }
  if (interrupts.count() > 0) return ExitStatus::kInterrupted;
  return failed > 0 ? ExitStatus::kFailed : ExitStatus::kDone;
}

}  // namespace

void add_selftest_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(
      "selftest",
      "measure what is known beforehand, and say whether the tool can be trusted on this machine");
  const auto options = std::make_shared<SelftestOptions>();
  command->add_option("--case", options->only, "only this case, e.g. S1; may be repeated")
      ->envname(environment_name("--case"))
      ->allow_extra_args(false);
  add_option(*command, "--out", options->out, "folder for the results")->capture_default_str();
  add_switch(*command, "--quiet", options->quiet, "no progress");
  add_switch(*command, "--json", options->json, "the answers as JSON");
  command->callback([options, &context] { context.status = selftest(*options, context); });
}

}  // namespace brokerlab
