#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "analysis/result.h"
#include "analysis/result_comparison.h"
#include "cli/command.h"

namespace brokerlab {
namespace {

struct CompareOptions {
  std::string baseline;
  std::vector<std::string> candidates;
  ComparisonRequest request;
  std::string margin = "5%";
  bool fail_on_regression = false;
  bool json = false;
};

double parse_margin(const std::string& text) {
  std::size_t read = 0;
  double value = -1;
  try {
    value = std::stod(text, &read);
  } catch (const std::exception&) {
    read = 0;
  }
  const std::string unit = text.substr(read);
  if (unit == "%") value /= 100;
  if (read == 0 || (!unit.empty() && unit != "%") || !(value > 0 && value < 1))
    throw Error("\"" + text + "\" is no margin", "--margin", "write a share between 0 and 1, or 5%",
                ExitStatus::kUsage);
  return value;
}

void print(const std::string& candidate, const ResultComparison& comparison) {
  std::printf("%s\n", candidate.c_str());
  if (comparison.effects.empty()) std::printf("  nothing that both measured\n");
  for (const Effect& effect : comparison.effects) {
    const Json json = to_json(effect);
    const std::string verdict = effect.worse() ? "worse" : json.at("verdict").get<std::string>();
    std::printf("  %-12s  %s\n", verdict.c_str(), effect.sentence.c_str());
  }
}

void compare(const CompareOptions& options, CommandContext& context) {
  ComparisonRequest request = options.request;
  request.margin = parse_margin(options.margin);
  const Json baseline = read_result(options.baseline);
  Json all = Json::array();
  bool regression = false;
  for (const std::string& path : options.candidates) {
    const ResultComparison comparison = compare_results(baseline, read_result(path), request);
    for (const std::string& warning : comparison.warnings)
      std::fprintf(stderr, "warning: %s: %s\n", path.c_str(), warning.c_str());
    regression |= comparison.regression();
    if (options.json) {
      all.push_back(to_json(comparison, request.margin));
      all.back()["candidate"] = path;
    } else {
      print(path, comparison);
    }
  }
  if (options.json) std::printf("%s\n", all.dump(2).c_str());
  if (regression && options.fail_on_regression) context.status = ExitStatus::kThresholdMissed;
}

}  // namespace

void add_compare_command(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("compare", "what differs between results, and whether it means anything");
  const auto options = std::make_shared<CompareOptions>();
  command->add_option("BASELINE", options->baseline, "result.json, or the folder that holds it")->required();
  command->add_option("CANDIDATE", options->candidates, "results to compare with it")->required();
  add_option(*command, "--metric", options->request.metrics, "only this figure; may be repeated");
  add_option(*command, "--margin", options->margin, "what differs by less counts as the same")
      ->capture_default_str();
  add_switch(*command, "--fail-on-regression", options->fail_on_regression,
             "exit with 99 when something got worse");
  add_switch(*command, "--json", options->json, "as JSON");
  command->callback([options, &context] { compare(*options, context); });
}

}  // namespace brokerlab
