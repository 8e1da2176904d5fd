#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "experiments/problem.h"
#include "experiments/threshold.h"

namespace brokerlab {

// What the command line changes about an experiment file.
struct Overrides {
  // "PATH=VALUE": a JSON pointer or a dotted path ("roles.0.consume.prefetch",
  // "roles.worker.consume.prefetch"); the value as JSON, else as a string. Acts as if the file had been
  // edited: a variant's patch still wins.
  std::vector<std::string> set;
  std::optional<std::uint64_t> seed;
  std::optional<int> repetitions;
  std::optional<std::string> duration;  // of the measure phase, in every variant
  std::vector<std::string> variants;    // only these; all when empty
  bool quick = false;                   // merge the file's `quick` patch in first
  // Merged into `search`. Where the file has none it becomes one: its thresholds are the conditions, unless
  // these are given, and nothing is repeated.
  std::optional<Json> search;
};

// One setting under comparison: the whole experiment with this variant's patch merged in, every default
// filled in, and without "variants", "matrix" and "$schema".
struct Variant {
  std::string name;
  Json experiment;
};

// A data file that the experiment reads, relative to its directory.
struct DataFile {
  std::string path;
  std::string sha256;
};

// An experiment as declared, checked and expanded. Plain value; nothing in it depends on a broker.
struct Experiment {
  std::string name;
  std::string description;
  std::string question;
  std::filesystem::path file;
  std::filesystem::path directory;  // absolute; data files are relative to it
  std::uint64_t seed = 1;
  int repetitions = 1;
  std::vector<Threshold> thresholds;
  std::vector<Variant>
      variants;  // in file order, at least one; a file without variants has one named "default"
  std::vector<DataFile> data_files;
  std::vector<Problem> warnings;
};

inline constexpr char kOnlyVariant[] = "default";

// A/A: adds the first variant once more, under a name that no file can give, so that it is compared with
// itself in the same blocks as the others.
void add_aa(Experiment& experiment);

// Reads and checks an experiment by path or catalogue name; a suite yields all of its experiments in order.
// Comments are allowed. Throws ExperimentError with everything that is wrong, sorted by line; Error (kUsage)
// for a file that is not there or is no JSON.
std::vector<Experiment> load_experiments(const std::string& name_or_path, const Overrides& overrides = {});
// The same of an experiment that stands in no file: problems are told by `name`; data files are relative to
// the working directory.
Experiment make_experiment(const Json& document, const std::string& name, const Overrides& overrides = {});

}  // namespace brokerlab
