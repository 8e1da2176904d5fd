#include <gmock/gmock.h>

#include "experiments/plan.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr char kWorker[] = R"({
  "description": "works",
  "topology": {
    "exchanges": [{"name": "in", "type": "direct"}],
    "queues": [{"name": "tasks"}],
    "bindings": [{"exchange": "in", "queue": "tasks", "routing_key": "k"}]
  },
  "role": {"role": "worker", "consume": {"queue": "tasks"}},
  "load": {"name": "emitter", "publish": {"exchange": "in", "routing_key": "k"}},
  "variants": {"auto": {"role": {"consume": {"ack": "auto"}}}, "fanout": {"topology": {"exchanges": {"0": {"type": "fanout"}}}}}
})";

class RoleUse : public testing::Test {
 protected:
  RoleUse() { folder_.write("worker.json", kWorker); }
  ScratchFolder folder_;
};

TEST_F(RoleUse, TheEntryIsMergedOverThatOfTheFile) {
  const Experiment experiment = load_text(folder_, R"({
      "name": "x", "load": [{"use": "worker", "stop": {"count": 3}}],
      "roles": [{"use": "worker/auto", "instances": 2, "consume": {"priority": 1}}]})");
  const Json& merged = experiment.variants[0].experiment;
  const Json& role = merged["roles"][0];
  EXPECT_EQ(role["role"], "worker");
  EXPECT_EQ(role["instances"], 2);
  EXPECT_EQ(role["consume"]["queue"], "tasks");
  EXPECT_EQ(role["consume"]["ack"], "auto");
  EXPECT_EQ(role["consume"]["priority"], 1);
  EXPECT_FALSE(role.contains("use"));
  EXPECT_EQ(merged["load"][0]["name"], "emitter");
  EXPECT_EQ(merged["load"][0]["stop"]["count"], 3);
}

TEST_F(RoleUse, TopologiesAreAddedOnce) {
  const Experiment experiment = load_text(folder_, R"({
      "name": "x", "topology": {"queues": [{"name": "tasks", "durable": false}, {"name": "own"}]},
      "load": [{"use": "worker"}], "roles": [{"use": "worker"}, {"use": "worker", "role": "second"}]})");
  const Json& topology = experiment.variants[0].experiment["topology"];
  EXPECT_EQ(topology["exchanges"].size(), 1U);
  EXPECT_EQ(topology["queues"].size(), 2U);
  EXPECT_EQ(topology["bindings"].size(), 1U);
  EXPECT_NO_THROW(make_plan(experiment));
}

TEST_F(RoleUse, AnotherObjectOfTheSameNameIsRefused) {
  EXPECT_THAT(problems_of(folder_, R"({"name": "x",
  "topology": {"queues": [{"name": "tasks", "durable": true}]},
  "roles": [{"use": "worker"}]})"),
              ElementsAre(AllOf(HasSubstr("x.json:3: /roles/0"), HasSubstr("\"tasks\""))));
}

TEST_F(RoleUse, VariantsOfTheExperimentChooseVariantsOfTheFile) {
  const Experiment experiment = load_text(folder_, R"({
      "name": "x", "load": [{"use": "worker"}], "roles": [{"use": "worker"}],
      "variants": {"direct": {}, "fanout": {"load": {"0": {"use": "worker/fanout"}}, "roles": {"0": {"use": "worker/fanout"}}}}})");
  EXPECT_EQ(experiment.variants[0].experiment["topology"]["exchanges"][0]["type"], "direct");
  EXPECT_EQ(experiment.variants[1].experiment["topology"]["exchanges"][0]["type"], "fanout");
}

TEST_F(RoleUse, OptionsReachAnEntryByTheNameOfTheFile) {
  Overrides overrides;
  overrides.set = {"roles.worker.consume.prefetch=9"};
  const Experiment experiment =
      load_text(folder_, R"({"name": "x", "roles": [{"use": "worker/auto", "consume": {"ack": "manual"}}]})",
                overrides);
  EXPECT_EQ(experiment.variants[0].experiment["roles"][0]["consume"]["prefetch"], 9);
}

TEST_F(RoleUse, UnknownRoleNamesTheNearest) {
  EXPECT_THAT(
      problems_of(folder_, "{\"name\": \"x\",\n\"roles\": [{\"use\": \"demonstrater\"}]}"),
      ElementsAre(AllOf(HasSubstr("x.json:2: /roles/0/use"), HasSubstr("did you mean \"demonstrator\""))));
}

TEST_F(RoleUse, UnknownVariantNamesTheNearest) {
  EXPECT_THAT(problems_of(folder_, R"({"name": "x", "roles": [{"use": "worker/outo"}]})"),
              ElementsAre(AllOf(HasSubstr("x.json:1: /roles/0/use"), HasSubstr("did you mean \"auto\""))));
}

TEST_F(RoleUse, AFileWithoutSuchAnEntryIsRefused) {
  EXPECT_THAT(problems_of(folder_, R"({"name": "x", "roles": [{"use": "student"}]})"),
              ElementsAre(AllOf(HasSubstr("/roles/0/use"), HasSubstr("no \"role\""))));
}

TEST_F(RoleUse, NamesLeadNowhereElse) {
  for (const char* name : {"../worker", "/etc/passwd", "../../etc/passwd.json"}) {
    EXPECT_THAT(problems_of(folder_, std::string(R"({"name": "x", "roles": [{"use": ")") + name + "\"}]}"),
                ElementsAre(HasSubstr("there is no role")))
        << name;
  }
}

TEST_F(RoleUse, ProblemsStandWhereTheyWereWritten) {
  std::string broken = kWorker;
  broken.replace(broken.find("{\"queue\": \"tasks\"}}"), 18, "{\"queue\": \"tusks\"} ");
  folder_.write("broken.json", broken);
  // In the role file where that says it, in the experiment where the experiment does.
  const std::vector<std::string> problems = problems_of(folder_, R"({"name": "x",
  "roles": [{"use": "broken",
    "consume": {"prefech": 1}}]})");
  EXPECT_THAT(problems,
              ElementsAre(AllOf(HasSubstr("broken.json:8: /role/consume/queue"), HasSubstr("tusks")),
                          AllOf(HasSubstr("x.json:3: /roles/0/consume/prefech"), HasSubstr("prefetch"))));
}

TEST_F(RoleUse, AnEntryWithoutUseNeedsItsKeys) {
  EXPECT_THAT(problems_of(folder_, R"({"name": "x", "roles": [{"instances": 2}]})"),
              UnorderedElementsAre(HasSubstr("\"role\" is missing"), HasSubstr("\"consume\" is missing")));
}

}  // namespace
}  // namespace brokerlab
