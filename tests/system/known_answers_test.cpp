// The cases with known answers, on a real broker: `brokerlab selftest` finds every one of them, and the
// results it leaves say more than its table asks. Values and tolerances stand in analysis/answer_sheet.cpp,
// from the measurement specification (docs/metrics.md, "Known answers"); a tolerance is never widened to make
// a test pass.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

// One run of the whole selftest, which all tests of this program read.
struct Selftest {
  ScratchFolder folder;
  ProgramResult program;
  Json answers;

  Selftest()
      : program(run_program({"selftest", "--json", "--quiet", "--out", folder.path().string()}, folder.path(),
                            {}, 280)),
        answers(Json::parse(program.out, nullptr, false)) {}

  static const Selftest& get() {
    static const Selftest kSelftest;
    return kSelftest;
  }

  Json result_of(const std::string& experiment) const {
    const std::filesystem::directory_iterator found(folder.path() / experiment);
    return Json::parse(std::ifstream(found->path() / "result.json"));
  }
};

// Every figure of the case is as it must be.
void expect_case(const std::string& name) {
  const Selftest& selftest = Selftest::get();
  ASSERT_TRUE(selftest.answers.is_array()) << selftest.program.err << selftest.program.out;
  int figures = 0;
  for (const Json& answer : selftest.answers) {
    if (answer["case"] != name) continue;
    ++figures;
    EXPECT_TRUE(answer["ok"].get<bool>()) << answer.dump();
  }
  EXPECT_GT(figures, 0) << name;
}

void expect_balance(const Json& run) {
  EXPECT_EQ(run["verdict"]["status"], "valid") << run["verdict"].dump();
  for (const Json& law : run["ledger"]["laws"]) EXPECT_TRUE(law["ok"]) << law.dump();
  EXPECT_EQ(run["ledger"]["unexpected"], 0);
}

void expect_undisturbed(const Json& result) {
  for (const Json& run : result["runs"]) {
    SCOPED_TRACE(run["variant"]);
    expect_balance(run);
    EXPECT_EQ(run["ledger"]["lost"], 0);
    EXPECT_EQ(run["ledger"]["duplicates"], 0);
  }
}

TEST(KnownAnswers, TheSelftestPasses) {
  const Selftest& selftest = Selftest::get();
  EXPECT_EQ(selftest.program.status, 0) << selftest.program.err << selftest.program.out;
}

class UndisturbedCase : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(UndisturbedCase, IsFoundInARunThatBalances) {
  const auto& [name, experiment] = GetParam();
  expect_case(name);
  expect_undisturbed(Selftest::get().result_of(experiment));
}

INSTANTIATE_TEST_SUITE_P(KnownAnswers, UndisturbedCase,
                         testing::Values(std::pair("R1", "r1"), std::pair("R2", "r2"), std::pair("R3", "r3"),
                                         std::pair("R4", "r4"), std::pair("R7", "r7"), std::pair("Q1", "q1"),
                                         std::pair("Q2", "q2"), std::pair("F2", "f2-f4"),
                                         std::pair("F4", "f2-f4"), std::pair("A4", "a4"),
                                         std::pair("A5", "a5"), std::pair("T1", "t1-short"),
                                         std::pair("D2", "d2"), std::pair("S1", "s1-s5-short"),
                                         std::pair("S5", "s1-s5-short"), std::pair("S2", "s2-short")),
                         [](const auto& info) { return std::string(info.param.first); });

TEST(KnownAnswers, F4IsWhatTheFormulaSays) {
  const Json result = Selftest::get().result_of("f2-f4");
  for (const auto& [variant, share] :
       {std::pair{"first-leaves", 0.9167}, {"last-leaves", 0.25}, {"fifth-joins", 0.20}}) {
    const Json run = run_of(result, variant);
    ASSERT_EQ(run["sharding"]["changes"].size(), 1U) << variant;
    EXPECT_NEAR(run["sharding"]["changes"][0]["formula"].get<double>(), share, 0.00005);
    EXPECT_EQ(run["sharding"]["affinity_violations"], 0);
  }
}

// The run's own messages through one line, and the law, say what was measured.
TEST(KnownAnswers, Q2IsWhatReplayAndLawSay) {
  const Json run = run_of(Selftest::get().result_of("q2"));
  EXPECT_NEAR(run.at(Json::json_pointer("/theory/0/replay/error/mean")).get<double>(), 0, 0.03);
  EXPECT_NEAR(run.at(Json::json_pointer("/theory/0/model/error/mean")).get<double>(), 0, 0.03);
  EXPECT_EQ(run["theory"][0]["model"]["name"], "D/D/4");
}

TEST(KnownAnswers, A1PrefetchDecidesHowMuchIsDeliveredAgain) {
  expect_case("A1");
  for (const Json& run : Selftest::get().result_of("a1")["runs"]) {
    SCOPED_TRACE(run["variant"]);
    expect_balance(run);
    const Json& again = run["ledger"]["redelivered_flag"];
    EXPECT_EQ(run["recovery"][0]["unacked"], again);
    EXPECT_EQ(run["recovery"][0]["unacked_redelivered"], again);
    EXPECT_EQ(run["ledger"]["duplicates"], again);
    EXPECT_EQ(run["ledger"]["done"], 100);
  }
}

TEST(KnownAnswers, A2AutomaticAcknowledgementLosesAllThatWasPushed) {
  expect_case("A2");
  const Json run = run_of(Selftest::get().result_of("a2"));
  expect_balance(run);  // lost by design, so the measurement is good
  EXPECT_EQ(run["ledger"]["lost_by_design"], 80);
  EXPECT_EQ(run["ledger"]["lost_ids"].size(), 80U);
  EXPECT_EQ(run["ledger"]["redelivered_flag"], 0);
}

TEST(KnownAnswers, A6NothingConfirmedIsLost) {
  expect_case("A6");
  expect_balance(run_of(Selftest::get().result_of("broker-crash"), "classic"));
}

}  // namespace
}  // namespace brokerlab
