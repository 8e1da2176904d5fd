#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "experiments/plan.h"
#include "experiments/schema.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

std::string page_path() { return std::string(BROKERLAB_SOURCE_DIR) + "/docs/experiment-file.md"; }

std::string page() {
  std::ifstream file(page_path());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Docs, TheReferenceIsThatOfTheSchema) {
  std::string text = page();
  const std::size_t begin = text.find('\n', text.find("<!-- generated from the schema")) + 1;
  const std::size_t end = text.find("<!-- end -->");
  ASSERT_LE(begin, end);
  ASSERT_NE(end, std::string::npos);
  const std::string reference = schema_markdown() + "\n";
  if (std::getenv("BROKERLAB_UPDATE_DOCS") != nullptr) {
    std::ofstream(page_path()) << text.replace(begin, end - begin, reference);
    return;
  }
  EXPECT_EQ(text.substr(begin, end - begin), reference)
      << "set BROKERLAB_UPDATE_DOCS=1 and run this test again";
}

TEST(Docs, EveryExampleIsValid) {
  const std::string text = page();
  const std::string fence = "```json\n";
  int examples = 0;
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    const std::string example = text.substr(begin, text.find("\n```", begin) - begin);
    SCOPED_TRACE(example);
    const ScratchFolder folder;
    std::vector<Experiment> experiments;
    ASSERT_NO_THROW(experiments = load_experiments(folder.write("example.json", example)));
    for (const Experiment& experiment : experiments) {
      EXPECT_TRUE(experiment.warnings.empty());
      EXPECT_NO_THROW(make_plan(experiment));
    }
    ++examples;
  }
  EXPECT_GE(examples, 6);
}

}  // namespace
}  // namespace brokerlab
