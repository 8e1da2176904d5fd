#include "analysis/merge.h"

#include <gmock/gmock.h>

#include <random>

#include "core/error.h"
#include "tests/analysis/report_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;

Json result_of(const std::string& id, const std::string& started_at) {
  Json result =
      read_json_file(std::string(BROKERLAB_SOURCE_DIR) + "/tests/analysis/fixtures/work_queue.json");
  result["run_id"] = id;
  result["started_at"] = started_at;
  result["environment"]["host"]["hostname"] = "host of " + id;
  return result;
}

Json first() { return result_of("a", "2026-11-21T01:00:00Z"); }
Json second() { return result_of("b", "2026-11-21T02:00:00Z"); }
Json third() { return result_of("c", "2026-11-21T03:00:00Z"); }

Json merged(const std::vector<Json>& results) { return merge_results(results); }

TEST(Merge, KeepsEveryRunUnderANumberOfItsOwn) {
  const Json one = first();
  const Json both = merged({one, second()});
  EXPECT_EQ(schema_errors(both), "");
  ASSERT_EQ(both["runs"].size(), 2 * one["runs"].size());
  std::set<std::pair<std::string, int>> keys;
  for (const Json& run : both["runs"]) keys.insert({run["variant"], run["repetition"].get<int>()});
  EXPECT_EQ(keys.size(), both["runs"].size());
  for (std::size_t i = 0; i < one["runs"].size(); ++i) {
    EXPECT_EQ(both["runs"][i]["latency"], one["runs"][i]["latency"]);
    EXPECT_EQ(both["runs"][i + one["runs"].size()]["latency"], one["runs"][i]["latency"]);
  }
  EXPECT_EQ(both["thresholds"].size(), 2 * one["thresholds"].size());
  EXPECT_EQ(both["comparison"]["variants"][0]["runs"],
            2 * one["comparison"]["variants"][0]["runs"].get<int>());
  EXPECT_EQ(both["merged_from"][1]["environment"]["host"]["hostname"], "host of b");
}

TEST(Merge, InAnyOrderAndGroupingIsTheSame) {
  const Json all = merged({first(), second(), third()});
  EXPECT_EQ(merged({third(), first(), second()}), all);
  EXPECT_EQ(merged({merged({first(), second()}), third()}), all);
  EXPECT_EQ(merged({merged({third(), first()}), second()}), all);
}

TEST(Merge, OfAnInterruptedResultIsNotValid) {
  Json half = second();
  half["aborted"] = true;
  const Json both = merged({first(), half});
  EXPECT_EQ(both["aborted"], true);
  EXPECT_NE(both["verdict"]["status"], "valid");
}

std::string refusal(const std::vector<Json>& results) {
  try {
    merge_results(results);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    return error.what();
  }
  return "";
}

TEST(Merge, RefusesOtherExperimentsAndNamesTheDifference) {
  Json other = second();
  other["config_hash"] = "another";
  other["plan"]["another"] = 1;
  EXPECT_THAT(refusal({first(), other}), HasSubstr("plan/another"));
  other["experiment"] = "another one";
  EXPECT_THAT(refusal({first(), other}), HasSubstr("another one"));
  EXPECT_THAT(refusal({first(), second(), first()}), HasSubstr("twice"));
  EXPECT_THAT(refusal({merged({first(), second()}), second()}), HasSubstr("twice"));
}

// Samples dealt out to runs at random, each through its exchange form, are bucket by bucket the histogram of
// all of them.
TEST(Merge, MergedHistogramIsThatOfAllSamples) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    std::lognormal_distribution<double> values(10 + seed % 5, 2.5);
    const std::size_t parts = 1 + random() % 9;
    std::vector<Histogram> own(parts);
    Histogram all;
    for (int i = 0; i < 5000; ++i) {
      const auto value = static_cast<std::int64_t>(values(random)) + 1;
      all.record(value);
      own[random() % parts].record(value);
    }
    std::vector<Json> runs;
    for (const Histogram& histogram : own)
      runs.push_back({{"latency", {{"end_to_end", {{"hdr", histogram.encode()}}}}}});
    runs.push_back({{"latency", Json::object()}});  // measured nothing
    std::shuffle(runs.begin(), runs.end(), random);
    const Histogram together = merged_stream(runs, "end_to_end");
    EXPECT_EQ(together.encode(), all.encode()) << seed;
    EXPECT_EQ(together.count(), 5000);
    const auto seen = together.buckets(), wanted = all.buckets();
    ASSERT_EQ(seen.size(), wanted.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_EQ(seen[i].value, wanted[i].value);
      EXPECT_EQ(seen[i].samples, wanted[i].samples);
    }
  }
}

}  // namespace
}  // namespace brokerlab
