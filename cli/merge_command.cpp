#include <cstdio>
#include <memory>

#include "analysis/merge.h"
#include "analysis/result.h"
#include "cli/command.h"

namespace brokerlab {
namespace {

struct MergeOptions {
  std::vector<std::string> results;
  std::string output;
};

void merge(const MergeOptions& options) {
  write_json_file(options.output, merge_results(read_results(options.results)));
  std::printf("%s\n", options.output.c_str());
}

}  // namespace

void add_merge_command(CLI::App& app, CommandContext&) {
  CLI::App* command = app.add_subcommand("merge", "results of the same experiment as one, without loss");
  const auto options = std::make_shared<MergeOptions>();
  command->add_option("RESULT", options->results, "result.json files, or the folders that hold them")
      ->required();
  command->add_option("-o,--output", options->output, "FILE for the merged result")->required();
  command->callback([options] { merge(*options); });
}

}  // namespace brokerlab
