// The search for the highest sustainable rate, on a real broker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

// Four workers of 10 ms do 400 tasks a second, and nothing makes them do more.
constexpr const char* kExperiment = R"({
  "name": "tasks", "topology": {"queues": [{"name": "tasks"}]},
  "load": [{"name": "emitter", "arrivals": {"process": "constant", "rate": 100}, "publish": {"routing_key": "tasks"}}],
  "roles": [{"role": "worker", "instances": 4, "consume": {"queue": "tasks", "prefetch": 1},
             "effort": {"kind": "sleep", "seconds": "10ms"}}],
  "phases": {"measure": "600ms"},
  "search": {"from": 200, "to": 800, "precision": 0.5, "trials": 1, "limit_of": "machine"}
})";

TEST(Search, NoTrialBeyondTheCapacityIsSustained) {
  const ScratchFolder scratch;
  scratch.write("tasks.json", kExperiment);
  const ProgramResult program = run_program(
      {"run", "tasks.json", "--broker", shared_broker(), "--out", "results", "--json"}, scratch.path());
  const Json result = Json::parse(program.out);
  const Json& answer = result["search"]["variants"][0];
  ASSERT_EQ(result["runs"].size(), answer["trials"].size());
  bool above = false;
  for (const Json& trial : answer["trials"]) {
    if (trial["rate_per_s"] < 500) continue;
    above = true;
    EXPECT_NE(trial["outcome"], "sustained") << trial.dump();
    EXPECT_FALSE(trial["reasons"].empty());
  }
  // How many of the lower ones are depends on what else this machine does.
  EXPECT_TRUE(above || answer["outcome"] == "below" || answer["outcome"] == "undecided" ||
              answer.contains("lowest_failed_per_s") || answer.contains("lowest_undecided_per_s"))
      << answer.dump();
  EXPECT_LT(answer.value("sustained_per_s", 0.0), 500);
  EXPECT_EQ(program.status, answer["outcome"] == "undecided" ? 1 : 0) << program.err;
  EXPECT_THAT(program.err, testing::HasSubstr("200/s, trial 1 of 1"));
}

TEST(Search, CtrlCLeavesWhatWasFound) {
  const ScratchFolder scratch;
  scratch.write("tasks.json", kExperiment);
  bool interrupted = false;
  const ProgramResult program =
      run_program({"run", "tasks.json", "--broker", shared_broker(), "--out", "results", "--json", "--quiet",
                   "--set", "search.from=20", "--set", "search.to=20000"},
                  scratch.path(), [&](int pid) {
                    for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path()))
                      if (entry.path().filename() == "result.json" && !interrupted) {
                        kill(pid, SIGINT);
                        interrupted = true;
                      }
                  });
  ASSERT_TRUE(interrupted);
  EXPECT_EQ(program.status, 105) << program.err;
  const Json result = Json::parse(program.out);
  EXPECT_EQ(result["aborted"], true);
  EXPECT_EQ(result["search"]["variants"][0]["outcome"], "unfinished");
  EXPECT_GE(result["search"]["variants"][0]["trials"].size(), 1U);
}

}  // namespace
}  // namespace brokerlab
