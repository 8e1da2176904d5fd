#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/run_command.h"

namespace brokerlab {
namespace {

// `search` of the experiment file, as far as it is given on the command line.
struct SearchOptions {
  std::optional<double> from, to, precision;
  std::optional<int> trials;
  std::vector<std::string> loads, conditions;
  std::string limit_of;

  Json to_json() const {
    Json search = Json::object();
    if (from) search["from"] = *from;
    if (to) search["to"] = *to;
    if (precision) search["precision"] = *precision;
    if (trials) search["trials"] = *trials;
    if (!loads.empty()) search["loads"] = loads;
    if (!conditions.empty()) search["conditions"] = conditions;
    if (!limit_of.empty()) search["limit_of"] = limit_of;
    return search;
  }
};

}  // namespace

void add_search_command(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("search", "find the highest rate that experiments sustain, whatever theirs is");
  const auto options = std::make_shared<RunCommandOptions>();
  const auto search = std::make_shared<SearchOptions>();
  add_run_options(*command, options);
  add_option(*command, "--from", search->from, "messages per second of the first trials; the file's rate");
  add_option(*command, "--to", search->to, "nothing above is tried; 1000 times as much");
  add_option(*command, "--precision", search->precision, "how near the answer is to be; 0.05 is 5 %");
  add_option(*command, "--trials", search->trials, "of each rate, at most");
  add_option(*command, "--limit-of", search->limit_of,
             "broker, or machine: its overloaded processors count as a failure");
  command
      ->add_option("--condition", search->conditions,
                   "e.g. \"end_to_end.p99 < 50ms\"; may be repeated; the file's thresholds by default")
      ->allow_extra_args(false);
  command->add_option("--load", search->loads, "search for the rate of this load; may be repeated")
      ->allow_extra_args(false);
  command->callback([options, search, &context] {
    options->overrides.search = search->to_json();
    context.status = run_experiments(*options, context);
  });
}

}  // namespace brokerlab
