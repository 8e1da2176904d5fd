// The corpora of the fuzzers as unit tests: every file is a seed, or an input that once broke something.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace brokerlab::fuzz {
namespace {

std::vector<std::filesystem::path> corpus_of(const std::string& target) {
  std::vector<std::filesystem::path> files;
  const auto folder = std::filesystem::path(BROKERLAB_SOURCE_DIR) / "tests/fuzz/corpus" / target;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

class Corpus : public testing::TestWithParam<Target> {};

TEST_P(Corpus, BreaksNothing) {
  const auto files = corpus_of(GetParam().name);
  EXPECT_GT(files.size(), 3U);
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    SCOPED_TRACE(path);
    EXPECT_NO_THROW(GetParam().run(std::as_bytes(std::span(bytes)))) << path;
  }
  GetParam().run({});
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, testing::ValuesIn(kTargets),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace brokerlab::fuzz
