#include <cstdio>
#include <memory>

#include "analysis/charts.h"
#include "analysis/plot.h"
#include "analysis/report.h"
#include "analysis/result.h"
#include "cli/command.h"

namespace brokerlab {
namespace {

struct ReportOptions {
  std::vector<std::string> results;
  std::string output = "report.html";
  std::string chart;
};

std::string chart_names() {
  std::string names;
  for (const Chart& chart : charts()) names += (names.empty() ? "" : ", ") + std::string(chart.name);
  return names;
}

}  // namespace

void add_report_command(CLI::App& app, CommandContext&) {
  CLI::App* command = app.add_subcommand("report", "one page about one or many results");
  const auto options = std::make_shared<ReportOptions>();
  command->add_option("RESULT", options->results, "result.json files, or the folders that hold them")
      ->required();
  command->add_option("-o,--output", options->output, "FILE.html, FILE.md or FILE.json")
      ->capture_default_str();
  command->callback([options] {
    write_report(read_results(options->results), options->output);
    std::printf("%s\n", options->output.c_str());
  });
}

void add_plot_command(CLI::App& app, CommandContext&) {
  CLI::App* command = app.add_subcommand("plot", "one chart as a file");
  const auto options = std::make_shared<ReportOptions>();
  command->add_option("RESULT", options->results, "result.json files, or the folders that hold them")
      ->required();
  command->add_option("--chart", options->chart, "one of " + chart_names())->required();
  command->add_option("-o,--output", options->output, "FILE.svg or FILE.png")->required();
  command->callback([options] {
    write_plot(read_results(options->results), options->chart, options->output);
    std::printf("%s\n", options->output.c_str());
  });
}

}  // namespace brokerlab
