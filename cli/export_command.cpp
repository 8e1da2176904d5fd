#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "analysis/export_csv.h"
#include "analysis/export_gbench.h"
#include "analysis/export_histogram.h"
#include "analysis/export_openmetrics.h"
#include "analysis/history.h"
#include "analysis/merge.h"
#include "analysis/result.h"
#include "cli/command.h"

namespace brokerlab {
namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::string result;
  std::string format;
  std::string variant;
  int repetition = -1;  // all
  std::string stream;   // of hgrm and hlog
  bool series = false;  // of csv
  std::string output;   // standard output without one
};

// Where an export goes: a file, or standard output.
class Sink {
 public:
  explicit Sink(const std::string& path) : path_(path.empty() ? "standard output" : path) {
    if (path.empty()) return;
    file_ = std::fopen(path.c_str(), "we");
    if (file_ == nullptr) fail();
  }
  ~Sink() {
    if (file_ != stdout) std::fclose(file_);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail();
  }
  void finish() {
    if (std::fflush(file_) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(std::string("cannot write: ") + std::strerror(errno), path_,
                "choose another file with -o, or free space on that disk");
  }

  std::string path_;
  std::FILE* file_ = stdout;
};

// The folder that holds the evidence and the recordings of an entry of `runs`.
std::optional<fs::path> folder_of(const fs::path& result, const Json& run) {
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(result, failure)) {
    const fs::path file = entry.path() / "evidence.json";
    if (!fs::exists(file, failure)) continue;
    const Json evidence = read_json_file(file);
    if (evidence.value("variant", "") == run.value("variant", "") &&
        evidence.value("repetition", 0) == run.value("repetition", 0))
      return entry.path();
  }
  return std::nullopt;
}

// What is to be exported.
struct Chosen {
  fs::path folder;  // of the result
  Json result;
  std::vector<Json> runs;
};

void export_history(const Chosen& chosen, const ExportOptions&, Sink& sink) {
  const fs::path& folder = chosen.folder;
  for (const Json& run : chosen.runs) {
    const auto recordings = folder_of(folder, run);
    if (!recordings) {
      throw Error("there are no recordings of variant " + run.value("variant", ""), folder.string(),
                  "name a result whose folder still holds the folders of its runs");
    }
    const RecordedRun recorded(RunEvidence::from_json(read_json_file(*recordings / "evidence.json")),
                               *recordings);
    if (!recorded.unreadable().empty())
      std::fprintf(stderr, "warning: %s\n", recorded.unreadable().front().c_str());
    write_history(recorded, [&](std::string_view line) { sink.write(line); });
  }
}

void export_as_csv(const Chosen& chosen, const ExportOptions& options, Sink& sink) {
  const Json runs = chosen.runs;
  sink.write(options.series ? export_series_csv(runs) : export_csv(runs));
}

[[noreturn]] void no_such_stream(const std::string& stream, const ExportOptions& options) {
  throw Error("no chosen run measured the latency " + stream, options.result,
              "name one that stands under `latency` of a run", ExitStatus::kUsage);
}

// Samples of several variants in one distribution would describe none of them.
void export_hgrm(const Chosen& chosen, const ExportOptions& options, Sink& sink) {
  for (const Json& run : chosen.runs) {
    if (run.value("variant", "") != chosen.runs.front().value("variant", ""))
      throw Error("the result has several variants, and a distribution is of one", options.result,
                  "choose one with --variant", ExitStatus::kUsage);
  }
  const std::string stream = options.stream.empty() ? "end_to_end" : options.stream;
  const Histogram all = merged_stream(chosen.runs, stream);
  if (all.count() == 0) no_such_stream(stream, options);
  sink.write(percentile_distribution(all));
}

void export_hlog(const Chosen& chosen, const ExportOptions& options, Sink& sink) {
  if (!options.stream.empty() && merged_stream(chosen.runs, options.stream).count() == 0)
    no_such_stream(options.stream, options);
  sink.write(export_histogram_log(chosen.result, chosen.runs, options.stream));
}

void export_as_gbench(const Chosen& chosen, const ExportOptions&, Sink& sink) {
  sink.write(export_gbench(chosen.result, chosen.runs).dump(2) + "\n");
}

void export_as_openmetrics(const Chosen& chosen, const ExportOptions&, Sink& sink) {
  sink.write(export_openmetrics(chosen.result, chosen.runs));
}

// A format is a name and a function from the chosen runs of a result to text.
struct ExportFormat {
  const char* name;
  void (*write)(const Chosen& chosen, const ExportOptions& options, Sink& sink);
};
constexpr ExportFormat kFormats[] = {{"history", export_history},  {"csv", export_as_csv},
                                     {"hgrm", export_hgrm},        {"hlog", export_hlog},
                                     {"gbench", export_as_gbench}, {"openmetrics", export_as_openmetrics}};

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const ExportFormat& format : kFormats) names.emplace_back(format.name);
  return names;
}

std::vector<Json> chosen_runs(const Json& result, const ExportOptions& options) {
  std::vector<Json> runs;
  for (const Json& run : result.at("runs")) {
    if (!options.variant.empty() && run.value("variant", "") != options.variant) continue;
    if (options.repetition >= 0 && run.value("repetition", 0) != options.repetition) continue;
    runs.push_back(run);
  }
  if (runs.empty()) {
    throw Error("the result has no such run", options.result, "leave --variant and --repetition away",
                ExitStatus::kUsage);
  }
  return runs;
}

void export_result(const ExportOptions& options) {
  const fs::path path(options.result);
  Chosen chosen;
  chosen.result = read_result(path);
  chosen.runs = chosen_runs(chosen.result, options);
  chosen.folder = fs::is_directory(path) ? path : fs::absolute(path).parent_path();
  Sink sink(options.output);
  for (const ExportFormat& format : kFormats)
    if (options.format == format.name) format.write(chosen, options, sink);
  sink.finish();
}

}  // namespace

void add_export_command(CLI::App& app, CommandContext&) {
  CLI::App* command = app.add_subcommand("export", "a result in a format for other programs");
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("RESULT", options->result, "a result.json, or the folder that holds it")->required();
  command
      ->add_option(
          "--format", options->format,
          "history: every operation of every run, one JSON object a line; csv: every figure; hgrm: one "
          "percentile distribution; hlog: a log of histograms; gbench: Google Benchmark's JSON; openmetrics: "
          "OpenMetrics text")
      ->required()
      ->check(CLI::IsMember(format_names()));
  command->add_option("--variant", options->variant, "only this variant");
  command->add_option("--repetition", options->repetition, "only this repetition, from 0");
  add_option(*command, "--stream", options->stream,
             "only this latency, for hgrm (end_to_end without it) and hlog (all)");
  add_switch(*command, "--series", options->series, "csv: the run over time instead of its figures");
  command->add_option("-o,--output", options->output, "FILE instead of standard output");
  command->callback([options] { export_result(*options); });
}

}  // namespace brokerlab
