#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// The results of tests/analysis/fixtures (written by make_fixtures.py there).
inline const std::vector<std::string>& fixture_names() {
  static const std::vector<std::string> kNames = {"work_queue", "fanout_vs_direct", "broker_stall",
                                                  "sparse",     "hostile",          "many_variants"};
  return kNames;
}

inline Json fixture(const std::string& name) {
  return read_json_file(BROKERLAB_SOURCE_DIR "/tests/analysis/fixtures/" + name + ".json");
}

// A folder that is gone after the test.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "brokerlab-report-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace brokerlab
