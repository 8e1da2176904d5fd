#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "analysis/calibration.h"
#include "analysis/prediction_check.h"
#include "analysis/result.h"
#include "cli/command.h"
#include "core/units.h"

namespace brokerlab {
namespace {

struct CalibrateOptions {
  std::string result;
  std::string output = "calibration.json";
  std::string predicted;
  std::string update;
};

void print(const Json& calibration) {
  const auto duration = [](const Json& ns) {
    return format_duration(static_cast<Nanoseconds>(ns.get<double>()));
  };
  fmt::print("{:<10} {:>9} {:>10} {:>10} {:>10}\n", "step", "samples", "mean", "p50", "p99");
  for (const auto& [name, step] : calibration.at("steps").items()) {
    fmt::print("{:<10} {:>9} {:>10} {:>10} {:>10}\n", name, step.at("samples").dump(),
               duration(step.at("mean_ns")), duration(step.at("p50_ns")), duration(step.at("p99_ns")));
  }
  for (const auto& [name, range] : calibration.at("ranges").items()) {
    if (!range.is_object()) continue;
    fmt::print("{:<12} {:.6g} to {:.6g}\n", name, range.at("min").get<double>(),
               range.at("max").get<double>());
  }
}

void check(const CalibrateOptions& options, CommandContext& context) {
  const PredictionCheck check = check_prediction(read_result(options.predicted), read_result(options.result));
  std::fputs(check.text().c_str(), stdout);
  if (!options.update.empty()) {
    Json calibration = read_calibration(options.update);
    calibration["validation"] = check.to_json();
    write_json_file(options.update, calibration);
    fmt::print("noted in {}\n", options.update);
  }
  if (!check.ok()) context.status = ExitStatus::kThresholdMissed;
}

void calibrate_command(const CalibrateOptions& options, CommandContext& context) {
  if (!options.predicted.empty()) return check(options, context);
  if (!options.update.empty())
    throw Error("which prediction is to be checked?", "--update",
                "name it with --predicted; to write a calibration, use --output", ExitStatus::kUsage);
  const Json calibration = calibrate(options.result, read_result(options.result));
  write_json_file(options.output, calibration);
  print(calibration);
  fmt::print("{}\n", options.output);
}

}  // namespace

void add_calibrate_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand(
      "calibrate", "what the steps of a message cost, for simulations; or how good a prediction was");
  const auto options = std::make_shared<CalibrateOptions>();
  command
      ->add_option("RESULT", options->result,
                   "result.json of a run on a real broker, or the folder that holds it and its recordings")
      ->required();
  command->add_option("-o,--output", options->output, "file for the calibration")->capture_default_str();
  add_option(*command, "--predicted", options->predicted,
             "a simulated result of the same experiment, made before RESULT: compare the two instead");
  add_option(*command, "--update", options->update,
             "with --predicted: the calibration of that simulation, to note in it how good it was");
  command->callback([options, &context] { calibrate_command(*options, context); });
}

}  // namespace brokerlab
