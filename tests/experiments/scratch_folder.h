#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "experiments/experiment.h"

namespace brokerlab {

// A folder for the files of one test, gone with it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "brokerlab-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

// The problems of an experiment file with this text, the folder's name left out: "x.json:3: /load/0: …".
inline std::vector<std::string> problems_of(const ScratchFolder& folder, const std::string& text,
                                            const Overrides& overrides = {}) {
  std::vector<std::string> texts;
  try {
    load_experiments(folder.write("x.json", text), overrides);
  } catch (const ExperimentError& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    for (const Problem& problem : error.problems()) {
      std::string line = problem.text();
      const std::string prefix = folder.path().string() + "/";
      if (line.starts_with(prefix)) line.erase(0, prefix.size());
      texts.push_back(line);
    }
  }
  return texts;
}

inline Experiment load_text(const ScratchFolder& folder, const std::string& text,
                            const Overrides& overrides = {}) {
  return load_experiments(folder.write("x.json", text), overrides).front();
}

inline std::vector<std::string> variant_names(const Experiment& experiment) {
  std::vector<std::string> names;
  for (const Variant& variant : experiment.variants) names.push_back(variant.name);
  return names;
}

}  // namespace brokerlab
