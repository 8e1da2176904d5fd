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
