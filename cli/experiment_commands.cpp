#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/command.h"
#include "experiments/description.h"

namespace brokerlab {

void add_list_command(CLI::App& app, CommandContext&) {
  CLI::App* command = app.add_subcommand("list", "experiments and roles, a line each");
  const auto all = std::make_shared<bool>(false);
  add_switch(*command, "--all", *all, "also the experiments with known answers");
  command->callback([all] { std::fputs(list_text(*all).c_str(), stdout); });
}

void add_init_command(CLI::App& app, CommandContext&) {
  CLI::App* command = app.add_subcommand("init", "a commented experiment to start from");
  const auto name = std::make_shared<std::string>("my-experiment");
  command->add_option("NAME", *name, "name of the experiment; the file is NAME.json")->capture_default_str();
  command->callback([name] {
    const std::string text = init_text(*name);
    const std::filesystem::path path = *name + ".json";
    if (std::filesystem::exists(path)) {
      throw Error("the file exists already", path.string(), "choose another name or remove the file",
                  ExitStatus::kUsage);
    }
    std::ofstream file(path);
    file << text;
    file.close();
    if (!file) throw Error("cannot write the file", path.string(), "change to a folder you may write to");
    fmt::print("{}\nrun it with: brokerlab run {}\n", path.string(), path.string());
  });
}

void add_validate_command(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("validate", "schema and meaning of experiment and role files");
  const auto files = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", *files, "files or names of the catalogue")->required();
  command->callback([files, &context] {
    const ValidationReport report = validate(*files);
    std::fputs(report.text.c_str(), report.status == ExitStatus::kDone ? stdout : stderr);
    context.status = report.status;
  });
}

}  // namespace brokerlab
