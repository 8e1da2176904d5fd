#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "experiments/fault_kind.h"
#include "experiments/plan.h"
#include "experiments/role_file.h"
#include "experiments/schema.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

std::string page_path(const std::string& name = "experiment-file.md") {
  return std::string(BROKERLAB_SOURCE_DIR) + "/docs/" + name;
}

std::string page(const std::string& name = "experiment-file.md") {
  std::ifstream file(page_path(name));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void expect_reference(const std::string& name, const std::string& schema) {
  std::string text = page(name);
  const std::size_t begin = text.find('\n', text.find("<!-- generated from the schema")) + 1;
  const std::size_t end = text.find("<!-- end -->");
  ASSERT_LE(begin, end);
  ASSERT_NE(end, std::string::npos);
  const std::string reference = schema + "\n";
  if (std::getenv("BROKERLAB_UPDATE_DOCS") != nullptr) {
    std::ofstream(page_path(name)) << text.replace(begin, end - begin, reference);
    return;
  }
  EXPECT_EQ(text.substr(begin, end - begin), reference)
      << "set BROKERLAB_UPDATE_DOCS=1 and run this test again";
}

TEST(Docs, TheReferencesAreThoseOfTheSchemas) {
  expect_reference("experiment-file.md", schema_markdown());
  expect_reference("roles.md", role_schema_markdown());
}

TEST(Docs, TheExamplesOfRolesAreValid) {
  const std::string text = page("roles.md");
  const std::string fence = "```json\n";
  int role_files = 0, experiments = 0;
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    const ScratchFolder folder;
    const std::string file =
        folder.write("example.json", text.substr(begin, text.find("\n```", begin) - begin));
    const SourceFile source = read_source_file(file);
    if (is_role_file(source.document)) {
      EXPECT_EQ(load_all_variants(source).size(), 2U);
      ++role_files;
    } else {
      EXPECT_NO_THROW(make_plan(load_experiments(file).front()));
      ++experiments;
    }
  }
  EXPECT_EQ(role_files, 1);
  EXPECT_EQ(experiments, 1);
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

// Each example of faults.md is a part of an experiment.
TEST(Docs, TheExamplesOfFaultsAreValidAndNameEveryKind) {
  const Json around = Json::parse(R"({
    "name": "x", "topology": {"queues": [{"name": "orders", "durable": true}]},
    "load": [{"name": "emitter", "publish": {"routing_key": "orders"}}],
    "roles": [{"role": "worker", "instances": 2, "processes": 2, "consume": {"queue": "orders", "prefetch": 5}}]})");
  const std::string text = page("faults.md");
  const std::string fence = "```json\n";
  int examples = 0;
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    Json example = around;
    example.merge_patch(Json::parse(text.substr(begin, text.find("\n```", begin) - begin)));
    SCOPED_TRACE(example.dump());
    const ScratchFolder folder;
    std::vector<Experiment> experiments;
    ASSERT_NO_THROW(experiments = load_experiments(folder.write("example.json", example.dump())));
    EXPECT_TRUE(experiments.front().warnings.empty());
    EXPECT_FALSE(make_plan(experiments.front()).runs.front().faults.empty());
    ++examples;
  }
  EXPECT_GE(examples, 6);
  for (const FaultKind& kind : fault_kinds()) {
    EXPECT_NE(text.find("`" + std::string(kind.name) + "`"), std::string::npos) << kind.name;
  }
}

}  // namespace
}  // namespace brokerlab
