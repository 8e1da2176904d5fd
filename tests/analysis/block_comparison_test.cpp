#include "analysis/block_comparison.h"

#include <gmock/gmock.h>

#include <algorithm>
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

Json pairs_of(const Json& runs) { return compare_blocks(runs, {"a", "b"}, "").value("pairs", Json::array()); }

Json only_pair(const Json& runs) {
  const Json pairs = pairs_of(runs);
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
            "makespan: b against a: 26 % higher (between 25 % and 26 % higher), which is worse.");
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
  for (const Json& pair : pairs_of(runs)) {
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
  for (const Json& pair : pairs_of(runs)) by_metric[pair.at("metric")] = pair;
  EXPECT_THAT(by_metric.at("makespan").at("reason").get<std::string>(), HasSubstr("not measured in 1 of 10"));
  EXPECT_EQ(by_metric.at("ledger.lost").at("sentence"), "lost: zero in every run of a and of b.");
  EXPECT_THAT(by_metric.at("end_to_end.p99").at("reason").get<std::string>(),
              HasSubstr("9999 samples; 10000 are needed"));
  EXPECT_EQ(by_metric.at("end_to_end.p99").at("verdict"), "not compared");
  EXPECT_EQ(by_metric.at("end_to_end.p50").at("verdict"), "equivalent");
  for (Json& run : runs) run["latency"]["end_to_end"]["count"] = 10'000;
  for (const Json& pair : pairs_of(runs)) {
    if (pair.at("metric") == "end_to_end.p99") {
      EXPECT_EQ(pair.at("verdict"), "equivalent");
    }
  }
}

TEST(BlockComparison, OneLostMessageIsADifferenceWithoutStatistics) {
  for (const bool lost_by_b : {true, false}) {
    Json runs = blocks(2, [](int) { return 1.0; });
    for (Json& run : runs)
      run["ledger"]["lost"] = (run.at("variant") == "b") == lost_by_b && run.at("repetition") == 1 ? 12 : 0;
    const Json pairs = pairs_of(runs);
    const auto pair = std::find_if(pairs.begin(), pairs.end(),
                                   [](const Json& each) { return each.at("metric") == "ledger.lost"; });
    ASSERT_NE(pair, pairs.end());
    EXPECT_EQ(pair->at("verdict"), "different");
    EXPECT_EQ(pair->at("worse"), lost_by_b);
    EXPECT_EQ(pair->at("exact").at("variant_most"), lost_by_b ? 12 : 0);
    EXPECT_EQ(pair->at("sentence"),
              lost_by_b ? "lost: none with a, up to 12 with b (in 1 of 2 runs), which is worse."
                        : "lost: none with b, up to 12 with a (in 1 of 2 runs), which is better.");
  }
}

// Both lose some in some blocks: there is no ratio, and still a test of the differences.
TEST(BlockComparison, WhereSomeTrialsAreZeroDifferencesAreCompared) {
  Json runs = blocks(10, [](int) { return 1.0; });
  for (Json& run : runs) {
    const int block = run.at("repetition");
    run["ledger"]["lost"] = run.at("variant") == "b" ? 100 + block : block % 2;
  }
  for (const Json& pair : pairs_of(runs)) {
    if (pair.at("metric") != "ledger.lost") continue;
    EXPECT_EQ(pair.at("verdict"), "different");
    EXPECT_EQ(pair.at("worse"), true);
    EXPECT_FALSE(pair.contains("ratio"));
    EXPECT_NEAR(pair.at("difference").get<double>(), 104, 1);
    EXPECT_THAT(pair.at("sentence").get<std::string>(), HasSubstr("lost: b against a: 104 more (between 10"));
  }
}

TEST(BlockComparison, ARangeThatReadsTheSameIsNotTold) {
  EXPECT_EQ(only_pair(blocks(10, [](int) { return .16; })).at("sentence"),
            "makespan: b against a: 84 % lower, which is better.");
  EXPECT_THAT(only_pair(blocks(10, [](int i) { return .16 + .003 * i; })).at("sentence").get<std::string>(),
              HasSubstr("83 % lower (between 82 % and 83 % lower)"));
}

// "c" is "a" again.
TEST(BlockComparison, AgainstItselfItSaysHowSmallAChangeCanBeSeen) {
  Json runs = blocks(10, [](int i) { return 1.25 + .002 * i; });
  for (int i = 0; i < 10; ++i) runs.push_back(run_of("c", i, 1e9 * (i % 2 == 0 ? 1.02 : .99)));
  const Json comparison = compare_blocks(runs, {"a", "b", "c"}, "c");
  const Json& aa = comparison.at("aa");
  EXPECT_EQ(aa.at("trials"), 10);
  EXPECT_EQ(aa.at("differs"), Json::array());
  EXPECT_NEAR(aa.at("detectable").at("makespan").get<double>(), .02, .001);
  EXPECT_THAT(aa.at("sentence").get<std::string>(),
              HasSubstr("does not differ from itself in 1 figure over 10 blocks"));
  ASSERT_EQ(comparison.at("pairs").size(), 2u);
  EXPECT_FALSE(comparison.at("pairs")[0].contains("untrusted"));
}

TEST(BlockComparison, WhatDiffersFromItselfMakesNoVerdictTrusted) {
  Json runs = blocks(10, [](int i) { return 1.25 + .002 * i; });
  for (int i = 0; i < 10; ++i) runs.push_back(run_of("c", i, 1.3e9));
  const Json comparison = compare_blocks(runs, {"a", "b", "c"}, "c");
  EXPECT_EQ(comparison.at("aa").at("differs"), Json::array({"makespan"}));
  EXPECT_THAT(comparison.at("aa").at("sentence").get<std::string>(),
              HasSubstr("a differs from itself in makespan: no verdict"));
  EXPECT_EQ(comparison.at("pairs")[0].at("untrusted"), true);
  EXPECT_THAT(comparison.at("pairs")[0].at("sentence").get<std::string>(), HasSubstr("Not to be trusted"));
  EXPECT_FALSE(comparison.at("pairs")[1].contains("untrusted"));
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
  EXPECT_TRUE(compare_blocks(runs, {"a", "b"}, "").empty());
}

}  // namespace
}  // namespace brokerlab
