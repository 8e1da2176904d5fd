#include "analysis/result_comparison.h"

#include <gmock/gmock.h>

#include "core/error.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;

// `count` trials of one variant whose makespans are near `makespan_ns`.
Json result_of(const std::string& variant, int count, double makespan_ns) {
  Json runs = Json::array();
  for (int i = 0; i < count; ++i)
    runs.push_back({{"variant", variant},
                    {"repetition", i},
                    {"verdict", {{"status", "valid"}}},
                    {"makespan_ns", makespan_ns * (1 + .003 * i)}});
  return {{"experiment", "e"},
          {"config_hash", "h"},
          {"environment", {{"versions", {{"rabbitmq", "3.10.8"}}}}},
          {"runs", runs}};
}

TEST(ResultComparison, AWorseCandidateIsARegression) {
  const auto comparison = compare_results(result_of("v", 6, 1e9), result_of("v", 6, 1.3e9), {});
  ASSERT_EQ(comparison.effects.size(), 1U);
  EXPECT_EQ(comparison.effects[0].verdict, Difference::kDifferent);
  EXPECT_TRUE(comparison.regression());
  EXPECT_THAT(comparison.effects[0].sentence, HasSubstr("30 % higher"));
  EXPECT_NEAR(comparison.effects[0].p, 2.0 / 924, 1e-12);  // of all ways to deal 12 into 6 and 6
  EXPECT_TRUE(comparison.warnings.empty());
}

TEST(ResultComparison, ABetterCandidateIsNone) {
  const auto comparison = compare_results(result_of("v", 6, 1e9), result_of("v", 6, .7e9), {});
  EXPECT_EQ(comparison.effects.at(0).verdict, Difference::kDifferent);
  EXPECT_FALSE(comparison.regression());
}

TEST(ResultComparison, TheSameIsEquivalent) {
  const auto comparison = compare_results(result_of("v", 6, 1e9), result_of("v", 6, 1.001e9), {});
  EXPECT_EQ(comparison.effects.at(0).verdict, Difference::kEquivalent);
}

TEST(ResultComparison, FewTrialsDecideNothing) {
  const auto comparison = compare_results(result_of("v", 3, 1e9), result_of("v", 3, 2e9), {});
  EXPECT_EQ(comparison.effects.at(0).verdict, Difference::kInconclusive);
  EXPECT_GE(comparison.effects[0].trials_needed, 4U);
  EXPECT_FALSE(comparison.regression());
}

TEST(ResultComparison, LostMessagesWhereThereWereNoneAreARegression) {
  Json baseline = result_of("v", 1, 1e9), candidate = baseline;
  baseline["runs"][0]["ledger"] = {{"lost", 0}, {"duplicates", 3}};
  candidate["runs"][0]["ledger"] = {{"lost", 12}, {"duplicates", 0}};
  const auto comparison = compare_results(baseline, candidate, {});
  EXPECT_TRUE(comparison.regression());
  EXPECT_THAT(to_json(comparison, .05).dump(),
              HasSubstr("none with the baseline, 12 with the candidate (in 1 of 1 run), which is worse"));
  EXPECT_FALSE(compare_results(baseline, candidate, {.metrics = {"ledger.duplicates"}}).regression());
  EXPECT_FALSE(compare_results(baseline, baseline, {}).regression());
}

// The plan lists the variants; the second one has the settings of the first.
TEST(ResultComparison, AResultThatDiffersFromItselfIsNotTrusted) {
  Json baseline = result_of("v", 6, 1e9);
  const Json itself = result_of("A/A", 6, 2e9);
  for (const Json& run : itself["runs"]) baseline["runs"].push_back(run);
  baseline["plan"]["variants"] = {{"v", {{"load", 1}}}, {"A/A", {{"load", 1}}}};
  const auto trusted = compare_results(baseline, baseline, {});
  ASSERT_EQ(trusted.effects.size(), 1U);  // A/A is not compared
  EXPECT_TRUE(trusted.warnings.empty());
  Json other = baseline;
  other["comparison"]["aa"]["differs"] = {"makespan"};
  const auto comparison = compare_results(baseline, other, {});
  ASSERT_EQ(comparison.warnings.size(), 1U);
  EXPECT_THAT(comparison.warnings[0], HasSubstr("the A/A of the candidate differs"));
  EXPECT_TRUE(comparison.effects[0].untrusted);
}

TEST(ResultComparison, SaysWhatElseDiffers) {
  Json other = result_of("v", 4, 1e9);
  other["config_hash"] = "i";
  other["environment"]["versions"]["rabbitmq"] = "3.12.1";
  const auto comparison = compare_results(result_of("v", 4, 1e9), other, {});
  ASSERT_EQ(comparison.warnings.size(), 2U);
  EXPECT_THAT(comparison.warnings[1], HasSubstr("RabbitMQ differs: 3.10.8 against 3.12.1"));
}

TEST(ResultComparison, InvalidRunsAreLeftOut) {
  Json broken = result_of("v", 6, 1.3e9);
  for (Json& run : broken["runs"]) run["verdict"]["status"] = "invalid";
  const auto comparison = compare_results(result_of("v", 6, 1e9), broken, {});
  EXPECT_FALSE(comparison.regression());
  ASSERT_EQ(comparison.effects.size(), 1U);
  EXPECT_EQ(comparison.effects[0].verdict, Difference::kNotCompared);
}

TEST(ResultComparison, RefusesWhatCannotBeCompared) {
  EXPECT_NO_THROW(
      compare_results(result_of("a", 4, 1e9), result_of("b", 4, 1e9), {}));  // the only one of each
  Json two = result_of("a", 2, 1e9);
  two["runs"].push_back(two["runs"][0]);
  two["runs"].back()["variant"] = "c";
  EXPECT_THROW(compare_results(two, result_of("b", 4, 1e9), {}), Error);
  EXPECT_THROW(compare_results(two, two, {.metrics = {"end_to_end.p98"}}), Error);
}

}  // namespace
}  // namespace brokerlab
