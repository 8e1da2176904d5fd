#include "experiments/expansion.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kBase[] = R"({
  // comments are allowed
  "name": "x", /* everywhere */
  "topology": {"queues": [{"name": "q"}]},
  "load": [{"name": "producer", "arrivals": {"process": "constant", "rate": 10}, "publish": {"routing_key": "q"}}],
  "roles": [{"role": "worker", "consume": {"queue": "q", "prefetch": 5}},
            {"role": "other", "consume": {"queue": "q"}}]@
})";

std::string base_and(const std::string& rest) {
  std::string text = kBase;
  return text.replace(text.find('@'), 1, rest.empty() ? "" : ",\n" + rest);
}

Json at(const Experiment& experiment, std::size_t variant, const char* pointer) {
  return experiment.variants.at(variant).experiment.at(JsonPointer(pointer));
}

TEST(Variants, OneNamedDefaultWithoutAny) {
  EXPECT_THAT(variant_names(load_text(ScratchFolder(), base_and(""))), ElementsAre("default"));
}

TEST(Variants, AreMergePatchesInFileOrder) {
  const Experiment experiment = load_text(ScratchFolder(), base_and(R"("variants": {
    "z": {}, "a": {"roles": {"0": {"consume": {"prefetch": 1}}}, "phases": {"measure": "3s"}},
    "m": {"roles": [{"role": "only", "consume": {"queue": "q"}}], "load": {"0": {"stop": {"count": 4}}}}})"));
  EXPECT_THAT(variant_names(experiment), ElementsAre("z", "a", "m"));
  EXPECT_EQ(at(experiment, 0, "/roles/0/consume/prefetch"), 5);
  EXPECT_EQ(at(experiment, 1, "/roles/0/consume/prefetch"), 1);
  EXPECT_EQ(at(experiment, 1, "/roles/1/role"), "other");
  EXPECT_EQ(at(experiment, 1, "/phases/measure"), "3s");
  EXPECT_EQ(at(experiment, 2, "/roles").size(), 1u);
  EXPECT_EQ(at(experiment, 2, "/load/0/stop/count"), 4);
  for (const Variant& variant : experiment.variants) {
    EXPECT_FALSE(variant.experiment.contains("variants"));
    EXPECT_FALSE(variant.experiment.contains("matrix"));
  }
}

TEST(Variants, NullRemovesAKey) {
  const Experiment experiment = load_text(ScratchFolder(), base_and(R"("variants": {
    "closed": {"load": {"0": {"arrivals": {"process": "closed", "rate": null}, "stop": {"count": 9}}}}})"));
  EXPECT_EQ(at(experiment, 0, "/load/0/arrivals"), Json::parse(R"({"process": "closed", "outstanding": 1})"));
}

TEST(Matrix, EveryCombinationIsAVariant) {
  const Experiment experiment = load_text(ScratchFolder(), base_and(R"("matrix": {
    "roles.worker.consume.prefetch": [1, 10], "/roles/0/consume/ack": ["auto", "manual"]})"));
  EXPECT_THAT(variant_names(experiment), ElementsAre("prefetch=1,ack=auto", "prefetch=1,ack=manual",
                                                     "prefetch=10,ack=auto", "prefetch=10,ack=manual"));
  EXPECT_EQ(at(experiment, 2, "/roles/0/consume/prefetch"), 10);
  EXPECT_EQ(at(experiment, 2, "/roles/0/consume/ack"), "auto");
}

TEST(Matrix, TimesVariants) {
  const Experiment experiment =
      load_text(ScratchFolder(),
                base_and(R"("variants": {"a": {}, "b": {}}, "matrix": {"load.0.arrivals.rate": [1, 2.5]})"));
  EXPECT_THAT(variant_names(experiment), ElementsAre("a,rate=1", "a,rate=2.5", "b,rate=1", "b,rate=2.5"));
}

TEST(Matrix, NamesTellAxesAndValuesApart) {
  const Experiment experiment = load_text(ScratchFolder(), base_and(R"("matrix": {
    "roles.0.instances": [1, 2], "roles.1.instances": [3],
    "roles.0.effort": [{"kind": "none"}, {"kind": "sleep", "seconds": 0.1}]})"));
  EXPECT_THAT(variant_names(experiment), ElementsAre("0.instances=1,1.instances=3,0.effort=value1",
                                                     "0.instances=1,1.instances=3,0.effort=value2",
                                                     "0.instances=2,1.instances=3,0.effort=value1",
                                                     "0.instances=2,1.instances=3,0.effort=value2"));
}

TEST(Matrix, ProblemsStandAtTheMatrix) {
  EXPECT_THAT(
      problems_of(ScratchFolder(), base_and(R"("matrix": {
    "roles.0.consume.ack": ["auto", "sometimes"],
    "roles.nobody.instances": [1]})")),
      ElementsAre(HasSubstr("x.json:9: /matrix/roles.0.consume.ack: \"sometimes\" is not allowed here"),
                  HasSubstr("x.json:10: /matrix/roles.nobody.instances: the list has 2 entries and none is "
                            "\"nobody\"")));
}

TEST(Matrix, TooManyCombinationsAreRefused) {
  std::string values = "1";
  for (int i = 2; i <= 40; ++i) values += "," + std::to_string(i);
  EXPECT_THAT(problems_of(ScratchFolder(), base_and("\"matrix\": {\"roles.0.instances\": [" + values +
                                                    "],\n\"roles.1.instances\": [" + values + "]}")),
              ElementsAre("x.json:8: /matrix: more than 1000 combinations; compare fewer values"));
}

TEST(Overrides, SetByPointerDotsAndName) {
  Overrides overrides;
  overrides.set = {"/roles/0/consume/prefetch=7",
                   "roles.other.consume.prefetch=8",
                   "load.producer.name=sender",
                   "load.0.publish.body={\"text\": \"hello\"}",
                   "question=why not",
                   "phases.drain=3s"};
  const Experiment experiment = load_text(ScratchFolder(), base_and(""), overrides);
  EXPECT_EQ(at(experiment, 0, "/roles/0/consume/prefetch"), 7);
  EXPECT_EQ(at(experiment, 0, "/roles/1/consume/prefetch"), 8);
  EXPECT_EQ(at(experiment, 0, "/load/0/name"), "sender");
  EXPECT_EQ(at(experiment, 0, "/load/0/publish/body"), Json::parse(R"({"text": "hello"})"));
  EXPECT_EQ(at(experiment, 0, "/phases/drain"), "3s");
  EXPECT_EQ(experiment.question, "why not");
}

TEST(Overrides, ActBeforeVariantsAndSayWhenUndone) {
  Overrides overrides;
  overrides.set = {"roles.0.consume.prefetch=7", "variants.b.roles.1.consume.prefetch=2"};
  const Experiment experiment = load_text(
      ScratchFolder(),
      base_and(R"("variants": {"a": {"roles": {"0": {"consume": {"prefetch": 1}}}}, "b": {}})"), overrides);
  EXPECT_EQ(at(experiment, 0, "/roles/0/consume/prefetch"), 1);
  EXPECT_EQ(at(experiment, 1, "/roles/0/consume/prefetch"), 7);
  EXPECT_EQ(at(experiment, 1, "/roles/1/consume/prefetch"), 2);
  ASSERT_EQ(experiment.warnings.size(), 1u);
  EXPECT_EQ(experiment.warnings[0].text(),
            "--set roles.0.consume.prefetch=7: warning: variant a sets roles.0.consume.prefetch itself; to "
            "change it "
            "there, set variants.a.roles.0.consume.prefetch");
}

TEST(Overrides, SeedRepetitionsDurationAndVariants) {
  Overrides overrides;
  overrides.seed = 77;
  overrides.repetitions = 4;
  overrides.duration = "250ms";
  overrides.variants = {"b"};
  const Experiment experiment = load_text(
      ScratchFolder(), base_and(R"("seed": 3, "variants": {"a": {}, "b": {"phases": {"measure": "9s"}}})"),
      overrides);
  EXPECT_EQ(experiment.seed, 77u);
  EXPECT_EQ(experiment.repetitions, 4);
  EXPECT_THAT(variant_names(experiment), ElementsAre("b"));
  EXPECT_EQ(at(experiment, 0, "/phases/measure"), "250ms");
}

TEST(Overrides, ABadDurationIsNamedByItsOption) {
  Overrides overrides;
  overrides.duration = "soon";
  EXPECT_THAT(problems_of(ScratchFolder(), base_and(""), overrides),
              ElementsAre(HasSubstr("--duration soon: /phases/measure: \"soon\" is not allowed here")));
}

TEST(Suites, RunTheirMembersInOrderWithPatches) {
  const ScratchFolder folder;
  folder.write("one.json", base_and(""));
  const std::string suite = folder.write("suite.json", R"({"name": "both", "suite": [
    {"experiment": "one", "patch": {"name": "renamed", "phases": {"measure": "1s"}}}, "one.json"]})");
  Overrides overrides;
  overrides.seed = 5;
  const std::vector<Experiment> experiments = load_experiments(suite, overrides);
  ASSERT_EQ(experiments.size(), 2u);
  EXPECT_EQ(experiments[0].name, "renamed");
  EXPECT_EQ(at(experiments[0], 0, "/phases/measure"), "1s");
  EXPECT_EQ(experiments[1].name, "x");
  EXPECT_EQ(experiments[1].seed, 5u);
}

TEST(Suites, DoNotNest) {
  const ScratchFolder folder;
  folder.write("inner.json", R"({"name": "i", "suite": ["one"]})");
  try {
    load_experiments(folder.write("suite.json", R"({"name": "s", "suite": ["inner"]})"));
    FAIL() << "accepted";
  } catch (const ExperimentError& error) {
    ASSERT_EQ(error.problems().size(), 1u);
    EXPECT_THAT(error.problems()[0].text(), HasSubstr("suite.json:1: /suite/0: "));
    EXPECT_THAT(error.problems()[0].text(), HasSubstr("is no single experiment"));
  }
}

TEST(Paths, OfListsByNumberOrName) {
  const Json document = {{"roles", {{{"role", "a"}}, {{"role", "b"}}}}};
  EXPECT_EQ(resolve_path(document, "roles.b.instances").pointer.to_string(), "/roles/1/instances");
  EXPECT_EQ(resolve_path(document, "/roles/0").pointer.to_string(), "/roles/0");
  EXPECT_FALSE(resolve_path(document, "roles.2.instances").problem.empty());
  EXPECT_FALSE(resolve_path(document, "/roles/~2").problem.empty());
}

}  // namespace
}  // namespace brokerlab
