#include <gmock/gmock.h>

#include <filesystem>

#include "experiments/description.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A sound experiment of eleven lines; tests break one of them.
constexpr char kSound[] = R"({
  "name": "x",
  "topology": {"exchanges": [{"name": "orders", "type": "direct"}],
               "queues": [{"name": "work"}],
               "bindings": [{"exchange": "orders", "queue": "work", "routing_key": "new"}]},
  "load": [{"name": "producer",
            "arrivals": {"process": "constant", "rate": 10},
            "publish": {"exchange": "orders", "routing_key": "new"}}],
  "roles": [{"role": "worker",
             "consume": {"queue": "work"}}]
})";

std::string sound_but(const std::string& what, const std::string& by) {
  std::string text = kSound;
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(BadInput, TheSoundOneIsSound) { EXPECT_THAT(problems_of(ScratchFolder(), kSound), IsEmpty()); }

TEST(BadInput, BrokenJsonNamesFileLineAndColumn) {
  const ScratchFolder folder;
  const std::string file = folder.write("broken.json", "{\n  \"name\": \"x\",\n  \"load\": [}\n}");
  try {
    load_experiments(file);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_EQ(error.where(), file + ":3:12");
    EXPECT_FALSE(error.remedy().empty());
  }
}

TEST(BadInput, UnknownKeyNamesTheNearestKnownOne) {
  const ScratchFolder folder;
  EXPECT_THAT(
      problems_of(folder, sound_but("\"queue\": \"work\"}}]", "\"queue\": \"work\", \"prefech\": 1}}]")),
      ElementsAre("x.json:10: /roles/0/consume/prefech: unknown key \"prefech\"; did you mean "
                  "\"prefetch\"?"));
  EXPECT_THAT(problems_of(folder, sound_but("\"roles\"", "\"rolls\"")),
              ElementsAre("x.json:9: /rolls: unknown key \"rolls\"; did you mean \"roles\"?"));
}

TEST(BadInput, NegativeRate) {
  EXPECT_THAT(problems_of(ScratchFolder(), sound_but("\"rate\": 10", "\"rate\": -5")),
              ElementsAre("x.json:7: /load/0/arrivals/rate: -5 is out of range; must be greater than 0"));
}

TEST(BadInput, RoleThatConsumesFromAnUndeclaredQueue) {
  EXPECT_THAT(problems_of(ScratchFolder(), sound_but("{\"queue\": \"work\"}}]", "{\"queue\": \"wrok\"}}]")),
              ElementsAre("x.json:10: /roles/0/consume/queue: queue \"wrok\" is not declared; did you mean "
                          "\"work\"?"));
}

// They go round the queues.
TEST(BadInput, RoleWithMoreInstancesThanQueuesIsNone) {
  std::string text = sound_but("{\"queue\": \"work\"}}]", "{\"queue\": \"work-{i}\"}, \"instances\": 3}]");
  text.replace(text.find("{\"name\": \"work\"}"), 16, "{\"name\": \"work-{i}\", \"copies\": 2}");
  text.replace(text.find("\"queue\": \"work\","), 16, "\"queue\": \"work-{i}\",");
  EXPECT_THAT(problems_of(ScratchFolder(), text), ElementsAre());
}

TEST(BadInput, LoadToAnUndeclaredExchange) {
  EXPECT_THAT(
      problems_of(ScratchFolder(), sound_but("{\"exchange\": \"orders\", \"routing_key\": \"new\"}}]",
                                             "{\"exchange\": \"order\", \"routing_key\": \"new\"}}]")),
      ElementsAre("x.json:8: /load/0/publish/exchange: exchange \"order\" is not declared; did you mean "
                  "\"orders\"?"));
}

TEST(BadInput, UnknownExchangeType) {
  EXPECT_THAT(
      problems_of(ScratchFolder(), sound_but("\"direct\"", "\"fanuot\"")),
      ElementsAre("x.json:3: /topology/exchanges/0/type: unknown exchange type \"fanuot\"; did you mean "
                  "\"fanout\"?"));
}

TEST(BadInput, AllAtOnceSortedByLine) {
  std::string text = sound_but("{\"queue\": \"work\"}}]", "{\"queue\": \"work\", \"ack\": \"maybe\"}}]");
  text.replace(text.find("\"rate\": 10"), 10, "\"rate\": 0");
  text.replace(text.find("\"type\": \"direct\""), 16, "\"kind\": \"direct\"");
  EXPECT_THAT(problems_of(ScratchFolder(), text),
              ElementsAre(HasSubstr("x.json:3: /topology/exchanges/0: \"type\" is missing"),
                          HasSubstr("x.json:3: /topology/exchanges/0/kind: unknown key \"kind\""),
                          HasSubstr("x.json:7: /load/0/arrivals/rate: 0 is out of range"),
                          HasSubstr("x.json:10: /roles/0/consume/ack: \"maybe\" is not allowed here")));
}

TEST(BadInput, WrongTypesAreNamedAndDoNotConfuseTheRest) {
  EXPECT_THAT(problems_of(ScratchFolder(), R"({
  "name": "x",
  "topology": [],
  "load": [7],
  "roles": {"0": {}},
  "faults": "none",
  "phases": {"measure": "long"}
})"),
              ElementsAre(HasSubstr("x.json:3: /topology: [] is a list, but an object is wanted"),
                          HasSubstr("x.json:4: /load/0: 7 is a whole number, but an object is wanted"),
                          HasSubstr("x.json:5: /roles: {\"0\":{}} is an object, but a list is wanted"),
                          HasSubstr("x.json:6: /faults: \"none\" is a text, but a list is wanted"),
                          HasSubstr("x.json:7: /phases/measure: \"long\" is not allowed here")));
}

TEST(BadInput, ProblemsOfAVariantStandAtItsPatch) {
  const std::string text = R"({
  "name": "x",
  "topology": {"queues": [{"name": "q"}]},
  "roles": [{"role": "w", "consume": {"queue": "q"}}],
  "variants": {
    "a": {},
    "b": {"roles": {"0": {"consume": {"queue": "p"}}}},
    "c": {"roles": {"1": {"consume": {"queu": "q"}, "role": "v"}}},
    "d": {"roles": {"5": {}}},
    "e": {"seed": 3}
  }
})";
  EXPECT_THAT(
      problems_of(ScratchFolder(), text),
      ElementsAre(HasSubstr("x.json:7: /variants/b/roles/0/consume/queue: queue \"p\" is not declared"),
                  HasSubstr("x.json:8: /variants/c/roles/1/consume: \"queue\" is missing"),
                  "x.json:8: /variants/c/roles/1/consume/queu: unknown key \"queu\"; did you mean \"queue\"?",
                  HasSubstr("x.json:9: /variants/d/roles/5: \"5\" is no entry of the list, which has 1"),
                  HasSubstr("x.json:10: /variants/e/seed: \"seed\" is the same for all variants")));
}

TEST(BadInput, AFaultOfTheBaseIsReportedOnceForAllVariants) {
  EXPECT_THAT(problems_of(ScratchFolder(), R"({
  "name": "x",
  "variants": {"a": {}, "b": {}},
  "bogus": 1
})"),
              ElementsAre(HasSubstr("x.json:4: /bogus: unknown key")));
}

TEST(BadInput, OptionsAreNamedAsTheSource) {
  Overrides overrides;
  overrides.set = {"load.0.arrivals.rate=-1", "roles.wroker.consume.prefetch=1", "nonsense"};
  EXPECT_THAT(
      problems_of(ScratchFolder(), kSound, overrides),
      ElementsAre("--set load.0.arrivals.rate=-1: /load/0/arrivals/rate: -1 is out of range; must be greater "
                  "than 0",
                  HasSubstr("--set nonsense: no PATH=VALUE"),
                  "--set roles.wroker.consume.prefetch=1: the list has 1 entries and none is \"wroker\"; did "
                  "you mean \"worker\"?"));
}

TEST(BadInput, UnknownVariant) {
  Overrides overrides;
  overrides.variants = {"prefetch"};
  EXPECT_THAT(
      problems_of(ScratchFolder(),
                  sound_but("\"name\": \"x\",", "\"name\": \"x\", \"variants\": {\"prefetch-1\": {}},"),
                  overrides),
      ElementsAre("--variant prefetch: no such variant; did you mean \"prefetch-1\"?"));
}

TEST(BadInput, UnknownExperimentNamesTheNearest) {
  try {
    load_experiments("work-que");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_EQ(error.remedy(), "did you mean \"work-queue\"?");
  }
}

TEST(BadInput, ValidateReportsEveryFileAndTheStatus) {
  const ScratchFolder folder;
  const std::string good = folder.write("good.json", kSound);
  const std::string bad = folder.write("bad.json", sound_but("\"rate\": 10", "\"rate\": -5"));
  const std::string broken = folder.write("broken.json", "{\"name\": }");
  const ValidationReport report = validate({good, bad, broken, "no-such-file.json"});
  EXPECT_EQ(report.status, ExitStatus::kUsage);
  EXPECT_THAT(report.text, HasSubstr(good + ": valid: 1 variant; 1 run, 100 messages"));
  EXPECT_THAT(report.text, HasSubstr(bad + ":7: /load/0/arrivals/rate: -5 is out of range"));
  EXPECT_THAT(report.text, HasSubstr(broken + ":1:10: "));
  EXPECT_THAT(report.text, HasSubstr("there is no experiment \"no-such-file.json\""));
  EXPECT_EQ(validate({good}).status, ExitStatus::kDone);
}

}  // namespace
}  // namespace brokerlab
