#include "experiments/role_file.h"

#include <gmock/gmock.h>

#include "experiments/catalogue.h"
#include "experiments/description.h"
#include "experiments/schema.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kWorker[] = R"({
  "description": "works",
  "topology": {"queues": [{"name": "tasks"}]},
  "role": {
    "role": "worker",
    "consume": {"queue": "tasks", "prefetch": 1}
  },
  "parameters": {
    "queue": {"description": "its queue", "sets": {"/topology/queues/0/name": "{value}", "/role/consume/queue": "{value}"}},
    "prefetch": {"description": "its limit", "sets": {"/role/consume/prefetch": "{value}"}}
  },
  "variants": {"push": {"role": {"consume": {"ack": "auto", "prefetch": 0}}}}
})";

RoleDeclaration load(const ScratchFolder& folder, const std::string& text,
                     const RoleSettings& settings = {}) {
  return load_role(read_source_file(folder.write("worker.json", text)), settings);
}

std::vector<std::string> problems_of_role(const std::string& text, const RoleSettings& settings = {}) {
  const ScratchFolder folder;
  std::vector<std::string> texts;
  try {
    load(folder, text, settings);
  } catch (const ExperimentError& error) {
    for (const Problem& problem : error.problems()) {
      std::string line = problem.text();
      const std::string prefix = folder.path().string() + "/";
      for (std::size_t at; (at = line.find(prefix)) != std::string::npos;) line.erase(at, prefix.size());
      texts.push_back(line);
    }
  }
  return texts;
}

TEST(RoleFile, IsAnExperimentOfOneEntryWithDefaults) {
  const ScratchFolder folder;
  const RoleDeclaration role = load(folder, kWorker);
  EXPECT_EQ(role.name, "worker");
  EXPECT_EQ(role.description, "works");
  EXPECT_EQ(role.directory, folder.path());
  EXPECT_TRUE(role.experiment["load"].empty());
  EXPECT_EQ(role.experiment["roles"][0]["consume"]["ack"], "manual");
  EXPECT_EQ(role.experiment["topology"]["queues"][0]["durable"], false);
}

TEST(RoleFile, TheCommandLineWinsOverTheVariant) {
  const ScratchFolder folder;
  RoleSettings settings;
  settings.variant = "push";
  settings.set = {"queue=7", "role.consume.ack=multiple(10)", "prefetch=20"};
  const RoleDeclaration role = load(folder, kWorker, settings);
  const Json& consume = role.experiment["roles"][0]["consume"];
  EXPECT_EQ(consume["queue"], "7");  // a text stays one
  EXPECT_EQ(role.experiment["topology"]["queues"][0]["name"], "7");
  EXPECT_EQ(consume["ack"], "multiple(10)");
  EXPECT_EQ(consume["prefetch"], 20);
}

TEST(RoleFile, ProblemsNameFileLineAndPath) {
  std::string text = kWorker;
  text.replace(text.find("\"prefetch\": 1"), 13, "\"prefech\": 1 ");
  EXPECT_THAT(problems_of_role(text),
              ElementsAre(AllOf(HasSubstr("worker.json:6: /role/consume/prefech"), HasSubstr("prefetch"))));
}

TEST(RoleFile, ProblemsOfAVariantStandAtItsPatch) {
  std::string text = kWorker;
  text.replace(text.find("\"auto\""), 6, "\"outo\"");
  RoleSettings settings;
  settings.variant = "push";
  EXPECT_THAT(problems_of_role(text, settings),
              ElementsAre(HasSubstr("worker.json:12: /variants/push/role/consume/ack")));
}

TEST(RoleFile, MeaningIsCheckedInTheFilesOwnPlaces) {
  RoleSettings settings;
  settings.set = {"role.consume.queue=tusks"};
  EXPECT_THAT(problems_of_role(kWorker, settings),
              ElementsAre(AllOf(HasSubstr("--set role.consume.queue=tusks: /role/consume/queue"),
                                HasSubstr("did you mean \"tasks\""))));
}

TEST(RoleFile, AFileWithoutQueuesTakesThoseOfOthers) {
  EXPECT_TRUE(
      problems_of_role(R"({"description": "x", "role": {"role": "r", "consume": {"queue": "theirs"}}})")
          .empty());
}

TEST(RoleFile, UnknownVariantAndParameterNameTheNearest) {
  RoleSettings settings;
  settings.variant = "posh";
  settings.set = {"queu=x"};
  EXPECT_THAT(problems_of_role(kWorker, settings),
              ElementsAre(AllOf(HasSubstr("--set queu=x"), HasSubstr("did you mean \"queue\"")),
                          AllOf(HasSubstr("--variant posh"), HasSubstr("did you mean \"push\""))));
}

TEST(RoleFile, NeedsSomethingToDo) {
  EXPECT_THAT(problems_of_role(R"({"description": "nothing"})"),
              ElementsAre(HasSubstr("\"load\" is missing")));
  EXPECT_THAT(problems_of_role("[]"), ElementsAre(HasSubstr("a role file is a JSON object")));
}

TEST(RoleFile, DoesNotUseAnother) {
  EXPECT_THAT(problems_of_role(R"({"description": "x", "role": {"use": "worker"}})"),
              ElementsAre(HasSubstr("/role/use")));
}

TEST(RoleFile, AQuestionNeedsItsRange) {
  EXPECT_THAT(problems_of_role(R"({
      "description": "x", "topology": {"queues": [{"name": "q"}]},
      "load": {"name": "l", "publish": {"routing_key": "q"}},
      "parameters": {"effort": {"description": "d", "ask": "How long", "sets": {"/load/stop/count": "{value}"}}}})"),
              ElementsAre(HasSubstr("/parameters/effort: a question needs the range")));
}

TEST(RoleFile, ADataFileOfTheCommandLineMayStandAnywhere) {
  const ScratchFolder own, elsewhere;
  own.write("tasks.csv", "a\n");
  const std::string other = elsewhere.write("mine.csv", "b\n");
  const char* text = R"({"description": "x", "topology": {"queues": [{"name": "q"}]},
      "load": {"name": "l", "publish": {"routing_key": "q", "body": {"csv": "tasks.csv"}}}})";
  EXPECT_EQ(load(own, text).directory, own.path());
  RoleSettings settings;
  settings.set = {"load.publish.body.csv=" + other};
  const RoleDeclaration role = load(own, text, settings);
  EXPECT_EQ(role.directory, elsewhere.path());
  EXPECT_EQ(role.experiment["load"][0]["publish"]["body"]["csv"], "mine.csv");
}

TEST(RoleCatalogue, EveryFileAndVariantIsValidWithoutWarning) {
  for (const CatalogueEntry& entry : catalogue_roles()) {
    SCOPED_TRACE(entry.name);
    EXPECT_FALSE(entry.description.empty());
    try {
      for (const RoleDeclaration& role : load_all_variants(read_source_file(entry.file))) {
        EXPECT_TRUE(role.warnings.empty()) << role.warnings.front().text();
      }
    } catch (const Error& error) {
      FAIL() << error.what();
    }
  }
}

TEST(RoleCatalogue, AFileIsCheckedWithoutLeavingAnythingBehind) {
  const std::filesystem::path before = std::filesystem::current_path();
  const ScratchFolder folder;
  std::filesystem::current_path(folder.path());
  load_all_variants(read_source_file(find_role("client")));
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(RoleCatalogue, HasTheDocumentedNames) {
  std::vector<std::string> names;
  for (const CatalogueEntry& entry : catalogue_roles()) names.push_back(entry.name);
  EXPECT_THAT(names, ::testing::IsSupersetOf({"student", "demonstrator", "demonstrator-dm", "demonstrator-cc",
                                              "teaching-assistant", "module-coordinator", "task-emitter",
                                              "task-worker", "producer", "consumer", "sender", "receiver"}));
}

TEST(RoleCatalogue, UnknownNamesGiveTheNearest) {
  try {
    find_role("demonstrater");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_THAT(error.remedy(), HasSubstr("\"demonstrator\""));
  }
}

TEST(Validate, TellsRoleFilesAndExperimentsApart) {
  const ScratchFolder folder;
  const ValidationReport report = validate({"work-queue", "student", folder.write("worker.json", kWorker)});
  EXPECT_EQ(report.status, ExitStatus::kDone) << report.text;
  EXPECT_THAT(report.text,
              AllOf(HasSubstr("work-queue.json: valid: "), HasSubstr("student.json: valid role file"),
                    HasSubstr("worker.json: valid role file; 1 variant")));
}

TEST(Validate, FindsWhatIsWrongInAnyVariant) {
  const ScratchFolder folder;
  std::string text = kWorker;
  text.replace(text.find("\"auto\""), 6, "\"outo\"");
  const ValidationReport report = validate({folder.write("worker.json", text)});
  EXPECT_EQ(report.status, ExitStatus::kUsage);
  EXPECT_THAT(report.text, HasSubstr("/variants/push/role/consume/ack"));
}

}  // namespace
}  // namespace brokerlab
