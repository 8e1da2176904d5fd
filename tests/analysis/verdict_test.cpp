#include "analysis/verdict.h"

#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "analysis/flags.h"

namespace brokerlab {
namespace {

FlagSet balanced() {
  FlagSet flags;
  flags.measure("COUNTS_DONT_BALANCE", 0);
  flags.measure("CONFIRMED_LOST", 0);
  return flags;
}

VerdictInput good() {
  VerdictInput input;
  input.drained = true;
  input.published = 10;
  return input;
}

TEST(Verdict, IsValidOnlyWhenAllIsWell) {
  const Verdict verdict = judge(good(), balanced());
  EXPECT_EQ(verdict.status, VerdictStatus::kValid);
  EXPECT_TRUE(verdict.reasons.empty());
}

TEST(Verdict, IsUnknownForEachThingThatCannotBeTold) {
  VerdictInput undrained = good(), aborted = good(), died = good(), unread = good(), silent = good();
  undrained.drained = false;
  aborted.aborted = true;
  died.dead_processes = {"worker-0"};
  unread.unreadable_recordings = {"the recording of worker-0 is incomplete"};
  silent.published = 0;
  for (const VerdictInput& input : {undrained, aborted, died, unread, silent}) {
    const Verdict verdict = judge(input, balanced());
    EXPECT_EQ(verdict.status, VerdictStatus::kUnknown);
    EXPECT_EQ(verdict.reasons.size(), 1u);
  }
  EXPECT_EQ(judge(good(), FlagSet()).status, VerdictStatus::kUnknown) << "what was not measured never passes";
}

TEST(Verdict, IsInvalidForLossImbalanceAndPhantoms) {
  FlagSet lost = balanced(), unbalanced = balanced();
  lost.measure("CONFIRMED_LOST", 3);
  unbalanced.measure("COUNTS_DONT_BALANCE", 1);
  VerdictInput phantom = good();
  phantom.unexpected = 1;
  EXPECT_EQ(judge(good(), lost).status, VerdictStatus::kInvalid);
  EXPECT_EQ(judge(good(), unbalanced).status, VerdictStatus::kInvalid);
  EXPECT_EQ(judge(phantom, balanced()).status, VerdictStatus::kInvalid);
  VerdictInput altered = good();
  altered.corrupted = 1;
  const Verdict promise = judge(altered, balanced());
  EXPECT_EQ(promise.status, VerdictStatus::kInvalid);
  EXPECT_EQ(promise.reasons.at(0), "1 delivery had a body other than the one sent");
  VerdictInput undrained = good();
  undrained.drained = false;
  EXPECT_EQ(judge(undrained, lost).status, VerdictStatus::kInvalid) << "a proven loss stays one";
}

TEST(Verdict, IsNotMovedByFlagsThatOnlyWarn) {
  FlagSet flags = balanced();
  flags.measure("GENERATOR_BOUND", 1e9);
  EXPECT_EQ(judge(good(), flags).status, VerdictStatus::kValid);
}

TEST(Verdict, TakesTheWorstOfTheRuns) {
  const Json valid = {
      {"variant", "a"}, {"repetition", 1}, {"verdict", {{"status", "valid"}, {"reasons", Json::array()}}}};
  const Json unknown = {
      {"variant", "b"}, {"repetition", 2}, {"verdict", {{"status", "unknown"}, {"reasons", {"why"}}}}};
  const Verdict verdict = judge_all({valid, unknown});
  EXPECT_EQ(verdict.status, VerdictStatus::kUnknown);
  EXPECT_THAT(verdict.reasons, testing::ElementsAre("b, repetition 2: why"));
  EXPECT_EQ(judge_all(Json::array()).status, VerdictStatus::kUnknown);
}

TEST(Flags, StartUnmeasuredAndFailOnTheirOwnSide) {
  FlagSet flags;
  for (const Json& flag : flags.to_json()) EXPECT_EQ(flag.at("state"), "unmeasured");
  flags.measure("HDR_OVERFLOW", 0);
  flags.measure("TOO_FEW_TRIALS", 5);
  flags.measure("LITTLE_MISMATCH", 0.02);
  EXPECT_EQ(flags.state("HDR_OVERFLOW"), FlagState::kPass);
  EXPECT_EQ(flags.state("TOO_FEW_TRIALS"), FlagState::kFail);
  EXPECT_EQ(flags.state("LITTLE_MISMATCH"), FlagState::kPass);
  EXPECT_EQ(FlagSet::from_json(flags.to_json()).to_json(), flags.to_json());
}

// docs/metrics.md lists what flags.cpp declares: "| NAME | unit | threshold | … |".
TEST(Flags, StandInTheDocumentation) {
  std::ifstream file(BROKERLAB_SOURCE_DIR "/docs/metrics.md");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string page = text.str();
  const std::regex row(R"(\n\| `([A-Z_]+)` \| ([a-z]+) \| (above|below) ([0-9.e]+) \|([^|]*)\|([^|]*)\|)");
  std::set<std::string> documented;
  for (auto at = std::sregex_iterator(page.begin(), page.end(), row); at != std::sregex_iterator(); ++at) {
    const std::smatch& cells = *at;
    documented.insert(cells[1]);
    const FlagDeclaration& flag = flag_declaration(std::string(cells[1]));
    EXPECT_EQ(cells[2], std::string(flag.unit)) << cells[1];
    EXPECT_EQ(cells[3], flag.fails == FlagSide::kAbove ? "above" : "below") << cells[1];
    EXPECT_DOUBLE_EQ(std::stod(cells[4]), flag.threshold) << cells[1];
    EXPECT_EQ(std::string(cells[5]).find("fatal") != std::string::npos, flag.fatal) << cells[1];
    EXPECT_EQ(" " + std::string(flag.reason) + " ", std::string(cells[6])) << cells[1];
  }
  for (const FlagDeclaration& flag : flag_declarations())
    EXPECT_TRUE(documented.count(std::string(flag.name))) << flag.name << " is missing in docs/metrics.md";
  EXPECT_EQ(documented.size(), flag_declarations().size());
}

TEST(Flags, AreThoseOfTheMeasurementPlan) {
  const std::set<std::string> wanted = {"GENERATOR_BOUND",
                                        "CPU_STEAL",
                                        "CPU_PRESSURE",
                                        "HICCUP",
                                        "LATE_CATCHUP",
                                        "EFFORT_OVERSHOOT",
                                        "WRITE_BLOCKED",
                                        "CONNECTION_BLOCKED",
                                        "CONFIRM_WINDOW_HIT",
                                        "CLOSED_LOOP",
                                        "NEGATIVE_LATENCY",
                                        "HDR_OVERFLOW",
                                        "CLOCK_DOMAIN",
                                        "COUNTS_DONT_BALANCE",
                                        "CONFIRMED_LOST",
                                        "UNKNOWN_OUTCOME",
                                        "UNDRAINED",
                                        "LITTLE_MISMATCH",
                                        "UNROUTABLE",
                                        "ORDER_VIOLATION",
                                        "AFFINITY_VIOLATION",
                                        "BODY_CORRUPTED",
                                        "RECONNECT",
                                        "HEARTBEAT_CLOSE",
                                        "CONSUMERS_NOT_READY",
                                        "PREFETCH_IGNORED",
                                        "UNSTABLE",
                                        "NOT_STEADY",
                                        "TOO_FEW_SAMPLES",
                                        "TOO_FEW_TRIALS",
                                        "NO_AA",
                                        "SIMULATED",
                                        "EXTRAPOLATED",
                                        "BROKER_CPU",
                                        "BROKER_ALARM",
                                        "BROKER_FLOW",
                                        "BROKER_DEPTH_MISMATCH",
                                        "FEEDBACK_LOOP"};
  std::set<std::string> declared;
  for (const FlagDeclaration& flag : flag_declarations()) declared.insert(std::string(flag.name));
  EXPECT_EQ(declared, wanted);
}

}  // namespace
}  // namespace brokerlab
