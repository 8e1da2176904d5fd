#include "analysis/block_comparison.h"

#include <gmock/gmock.h>

#include <functional>
#include <map>

namespace brokerlab {
namespace {

using testing::HasSubstr;

// What a comparison reads of a run. Blocks differ much from each other, as hours of a day do.
Json run_of(const std::string& variant, int repetition, double makespan_ns) {
  return {{"variant", variant},
          {"repetition", repetition},
          {"verdict", {{"status", "valid"}}},
          {"makespan_ns", makespan_ns * (1 + repetition)}};
}

// `ratio`: of the second variant to the first, by block.
Json blocks(int count, const std::function<double(int)>& ratio) {
  Json runs = Json::array();
  for (int i = 0; i < count; ++i) {
    runs.push_back(run_of("b", i, 1e9 * ratio(i)));
    runs.insert(runs.begin(), run_of("a", i, 1e9));
  }
  return runs;
}

Json only_pair(const Json& runs) {
  const Json pairs = compare_blocks(runs);
  EXPECT_EQ(pairs.size(), 1u) << pairs.dump();
  return pairs.at(0);
}

TEST(BlockComparison, FindsADifferenceThatIsSmallBesideThatOfTheBlocks) {
  const Json pair = only_pair(blocks(10, [](int i) { return 1.25 + .002 * i; }));
  EXPECT_EQ(pair.at("verdict"), "different");
  EXPECT_EQ(pair.at("worse"), true);
  EXPECT_EQ(pair.at("baseline"), "a");
  EXPECT_EQ(pair.at("trials"), 10);
  EXPECT_NEAR(pair.at("ratio").get<double>(), 1.259, .001);
  EXPECT_NEAR(pair.at("p").get<double>(), 2.0 / 1024, 1e-12);
  EXPECT_EQ(pair.at("sentence"),
            "makespan: b against a: 26 % higher (between 25 % higher and 26 % higher), which is worse.");
  EXPECT_EQ(only_pair(blocks(10, [](int) { return .5; })).at("worse"), false);
}

TEST(BlockComparison, CallsTheSameWhatDiffersByLessThanTheMargin) {
  const Json pair = only_pair(blocks(10, [](int i) { return 1.01 + .001 * i; }));
  EXPECT_EQ(pair.at("verdict"), "equivalent");
  EXPECT_LT(pair.at("p_adjusted"), .05);  // a real difference, and too small to matter
  EXPECT_THAT(pair.at("sentence").get<std::string>(), HasSubstr("the same within 5 %"));
}

TEST(BlockComparison, SaysHowManyBlocksWouldDecide) {
  const Json pair = only_pair(blocks(10, [](int i) { return i % 2 == 0 ? 1.3 : .8; }));
  EXPECT_EQ(pair.at("verdict"), "inconclusive");
  EXPECT_GT(pair.at("trials_needed"), 10);
  EXPECT_THAT(pair.at("sentence").get<std::string>(), HasSubstr("10 blocks do not tell b from a"));
}

TEST(BlockComparison, NeverFindsADifferenceInFewBlocks) {
  const Json five = only_pair(blocks(5, [](int) { return 9.0; }));
  EXPECT_EQ(five.at("verdict"), "inconclusive");
  EXPECT_EQ(five.at("trials_needed"), 6);
  EXPECT_FALSE(five.contains("interval"));
  EXPECT_EQ(five.at("sentence"), "makespan: 5 blocks are too few to tell b from a; at least 6 are needed.");
  EXPECT_EQ(only_pair(blocks(6, [](int) { return 9.0; })).at("verdict"), "different");
}

// Six blocks give p = .031 at best; of two figures, Holm makes .0625 of it.
TEST(BlockComparison, NeverFindsADifferenceThatHolmMakesUnattainable) {
  Json runs = blocks(6, [](int) { return 9.0; });
  for (Json& run : runs) run["rates"]["delivered_per_s"] = run.at("makespan_ns");
  for (const Json& pair : compare_blocks(runs)) {
    EXPECT_EQ(pair.at("verdict"), "inconclusive");
    EXPECT_EQ(pair.at("trials_needed"), 7);
    EXPECT_THAT(pair.at("sentence").get<std::string>(),
                HasSubstr("at least 7 are needed where 2 figures are compared"));
  }
}

TEST(BlockComparison, GivesTheReasonWhyAFigureIsNotCompared) {
  Json runs = blocks(10, [](int) { return 2.0; });
  runs[0].erase("makespan_ns");
  for (Json& run : runs) {
    run["ledger"]["lost"] = 0;
    run["latency"]["end_to_end"] = {{"count", 9999}, {"p50_ns", 5}, {"p99_ns", 7}};
  }
  std::map<std::string, Json> by_metric;
  for (const Json& pair : compare_blocks(runs)) by_metric[pair.at("metric")] = pair;
  EXPECT_THAT(by_metric.at("makespan").at("reason").get<std::string>(), HasSubstr("not measured in 1 of 10"));
  EXPECT_THAT(by_metric.at("ledger.lost").at("reason").get<std::string>(), HasSubstr("zero in 10 of 10"));
  EXPECT_THAT(by_metric.at("end_to_end.p99").at("reason").get<std::string>(),
              HasSubstr("9999 samples; 10000 are needed"));
  EXPECT_EQ(by_metric.at("end_to_end.p99").at("verdict"), "not compared");
  EXPECT_EQ(by_metric.at("end_to_end.p50").at("verdict"), "equivalent");
  for (Json& run : runs) run["latency"]["end_to_end"]["count"] = 10'000;
  for (const Json& pair : compare_blocks(runs)) {
    if (pair.at("metric") == "end_to_end.p99") {
      EXPECT_EQ(pair.at("verdict"), "equivalent");
    }
  }
}

TEST(BlockComparison, LeavesOutBlocksWithAnInvalidOrAbortedRun) {
  Json runs = blocks(10, [](int i) { return i < 2 ? 1000.0 : 2.0; });
  for (Json& run : runs) {
    if (run.at("variant") != "b") continue;
    if (run.at("repetition") == 0) run["verdict"]["status"] = "invalid";
    if (run.at("repetition") == 1) run["aborted"] = true;
  }
  const Json pair = only_pair(runs);
  EXPECT_EQ(pair.at("trials"), 8);
  EXPECT_NEAR(pair.at("interval").at("high").get<double>(), 2, 1e-9);
  for (Json& run : runs) run["verdict"]["status"] = "invalid";
  EXPECT_EQ(compare_blocks(runs).size(), 0u);
}

}  // namespace
}  // namespace brokerlab
