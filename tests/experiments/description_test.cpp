#include "experiments/description.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string dry_run(const std::string& name, const Overrides& overrides = {}) {
  const Experiment experiment = load_experiments(name, overrides).front();
  return dry_run_text(experiment, make_plan(experiment));
}

TEST(DryRun, ShowsWhatWouldBeDone) {
  Overrides overrides;
  overrides.repetitions = 3;
  const std::string text = dry_run("fanout-vs-direct", overrides);
  EXPECT_THAT(text, HasSubstr("exchange models (fanout)"));
  EXPECT_THAT(text, HasSubstr("queue consumer-{i} x 2"));
  EXPECT_THAT(text, HasSubstr("queue consumer-{i} <- models by key1"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "producer: 3 instances in 3 processes, constant rate 200, to exchange models: 4,800 messages"));
  EXPECT_THAT(text, HasSubstr("unroutable: exchange \"models\", key \"key2\""));
  EXPECT_THAT(text, HasSubstr("consumer: 2 instances in 2 processes, from queue consumer-{i}, ack auto"));
  EXPECT_THAT(text, HasSubstr("repetition 3"));
  EXPECT_THAT(text, HasSubstr("6 runs, 28,800 messages, at most 48"));
  EXPECT_THAT(text, HasSubstr("at most 5 processes at once"));
}

TEST(DryRun, ShowsFaultsAndWarnings) {
  EXPECT_THAT(dry_run("known-answers/s1-s5"), HasSubstr("pause broker after 8"));
  EXPECT_THAT(dry_run("known-answers/r3"), HasSubstr("[PREFETCH_IGNORED]"));
}

TEST(List, HasALineForEveryExperiment) {
  EXPECT_THAT(list_text(), HasSubstr("work-queue"));
  EXPECT_THAT(list_text(), HasSubstr("Unequal tasks to three workers"));
  EXPECT_THAT(list_text(), Not(HasSubstr("known-answers/r1")));
  EXPECT_THAT(list_text(true), HasSubstr("known-answers/r1"));
}

TEST(Init, WritesAValidCommentedExperimentWithItsSchema) {
  const ScratchFolder folder;
  const std::string text = init_text("orders");
  EXPECT_THAT(text, HasSubstr("\"$schema\""));
  EXPECT_THAT(text, HasSubstr("// "));
  const Experiment experiment = load_experiments(folder.write("orders.json", text)).front();
  EXPECT_EQ(experiment.name, "orders");
  EXPECT_EQ(experiment.variants.size(), 2u);
  EXPECT_TRUE(experiment.warnings.empty());
  const std::string schema = parse_json(text, "init")["$schema"];
  EXPECT_TRUE(std::filesystem::exists(schema)) << schema;
}

TEST(Init, RefusesAName) { EXPECT_THROW(init_text("a\"b"), Error); }

TEST(Validate, SaysWhatAValidFileHolds) {
  const ValidationReport report = validate({"work-queue", "known-answers/r3"});
  EXPECT_EQ(report.status, ExitStatus::kDone);
  EXPECT_THAT(report.text, HasSubstr("work-queue.json: valid: 2 variants; 2 runs, 150 messages"));
  EXPECT_THAT(report.text,
              HasSubstr("warning: /roles/0/consume/prefetch: the broker ignores the prefetch limit"));
}

}  // namespace
}  // namespace brokerlab
