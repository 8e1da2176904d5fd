// Searches through the whole of a simulated run: the answer is known, and the result says how it was found.
#include <gmock/gmock.h>

#include "analysis/chart_source.h"
#include "analysis/charts.h"
#include "analysis/rate_curve.h"
#include "analysis/report_model.h"
#include "core/error.h"
#include "experiments/search_plan.h"
#include "tests/cli/simulated.h"

namespace brokerlab {
namespace {

using ::testing::HasSubstr;

// Four workers of 10 ms each, evenly spaced tasks: 400/s and no more.
Json four_workers() {
  return Json::parse(R"({
    "name": "line", "topology": {"queues": [{"name": "q"}]},
    "load": [{"name": "l", "arrivals": {"process": "constant", "rate": 30}, "publish": {"routing_key": "q"}}],
    "roles": [{"role": "w", "instances": 4, "consume": {"queue": "q", "prefetch": 1},
               "effort": {"kind": "sleep", "seconds": "10ms"}}],
    "phases": {"measure": "2s", "drain": "5s"}, "search": {"from": 150, "trials": 1}})");
}

Json with(Json experiment, const char* patch) {
  merge_patch(experiment, Json::parse(patch));
  return experiment;
}

const Json& first(const Json& result) { return result["search"]["variants"][0]; }

// The highest sustained rate and the lowest failed one enclose the capacity, as near as was asked for.
void expect_found(const Json& answer, double capacity, double precision) {
  EXPECT_EQ(answer["outcome"], "found") << answer.dump();
  const double sustained = answer["sustained_per_s"], failed = answer["lowest_failed_per_s"];
  EXPECT_GE(sustained, capacity / (1 + precision));
  EXPECT_LE(sustained, capacity * (1 + precision));
  EXPECT_GE(failed, capacity);
  EXPECT_LE(failed / sustained, 1 + precision + 1e-9);
}

TEST(SimulatedSearch, FindsTheCapacityOfALine) {
  expect_found(first(result_of_file(with(four_workers(), R"({"search": {"precision": 0.01}})"))), 400, 0.01);
  const Json result = result_of_file(with(four_workers(), R"({"search": {"from": null, "trials": 3}})"));
  expect_found(first(result), 400, 0.05);
  EXPECT_EQ(first(result)["from_per_s"], 30);
  // Every trial is an ordinary run, and the plan knows it.
  EXPECT_EQ(result["runs"].size(), first(result)["trials"].size());
  for (std::size_t i = 0; i < result["runs"].size(); ++i) {
    const Json& run = result["runs"][i];
    const Json& trial = first(result)["trials"][i];
    EXPECT_EQ(run["variant"], trial["variant"]);
    EXPECT_EQ(run["repetition"], trial["repetition"]);
    EXPECT_NEAR(number(run, "/rates/offered_per_s"), trial["rate_per_s"].get<double>(), 1);
    EXPECT_TRUE(result["plan"]["variants"].contains(run["variant"].get<std::string>()));
    EXPECT_EQ(trial["outcome"] == "sustained", trial["reasons"].empty());
  }
  EXPECT_EQ(result["verdict"]["status"], "valid") << result["verdict"].dump();
  EXPECT_FALSE(result["comparison"].contains("pairs"));
}

TEST(SimulatedSearch, ALatencyLimitBindsBeforeTheCapacity) {
  // One worker of 10 ms, Poisson arrivals (M/D/1): the mean wait is rho / (1 - rho) / 2 of a service, which
  // is 20 ms at rho = 0.8, so at 80/s.
  const Json result = result_of_file(with(four_workers(), R"({
    "load": {"0": {"arrivals": {"process": "poisson", "rate": 20}}}, "roles": {"0": {"instances": 1}},
    "phases": {"measure": "300s", "drain": "60s"},
    "search": {"from": 50, "conditions": ["end_to_end.mean < 20ms"], "precision": 0.04}})"));
  // Of 300 s the mean wait is exact to some 8 %, for waits are alike for about a second; at rho = 0.8 that is
  // 1.3 % of the rate. So both ends of what was found may lie on either side.
  EXPECT_EQ(first(result)["outcome"], "found");
  EXPECT_NEAR(first(result)["sustained_per_s"].get<double>(), 80, 80 * 0.06);
  EXPECT_NEAR(first(result)["lowest_failed_per_s"].get<double>(), 80, 80 * 0.06);
  bool named = false;
  for (const Json& trial : first(result)["trials"])
    for (const Json& reason : trial["reasons"])
      named |= reason.get<std::string>().starts_with("end_to_end.mean < 20ms does not hold: ");
  EXPECT_TRUE(named) << first(result).dump();
}

TEST(SimulatedSearch, EveryVariantHasAnAnswerOfItsOwn) {
  const Json result = result_of_file(with(four_workers(), R"({
    "variants": {"four": {}, "two": {"roles": {"0": {"instances": 2}}}},
    "thresholds": ["search.sustained_per_s >= 300"]})"));
  ASSERT_EQ(result["search"]["variants"].size(), 2U);
  expect_found(result["search"]["variants"][0], 400, 0.05);
  expect_found(result["search"]["variants"][1], 200, 0.05);
  // They take turns.
  EXPECT_EQ(result["runs"][0]["variant"], "four,rate=150");
  EXPECT_EQ(result["runs"][1]["variant"], "two,rate=150");
  ASSERT_EQ(result["thresholds"].size(), 2U);
  EXPECT_EQ(result["thresholds"][0]["ok"], true);
  EXPECT_EQ(result["thresholds"][1]["variant"], "two");
  EXPECT_EQ(result["thresholds"][1]["ok"], false);
}

TEST(SimulatedSearch, TheRateIsThatOfAllSearchedLoadsTogether) {
  const Json result = result_of_file(with(four_workers(), R"({"load": [
    {"name": "a", "instances": 3, "arrivals": {"process": "constant", "rate": 10}, "publish": {"routing_key": "q"}},
    {"name": "b", "arrivals": {"process": "constant", "rate": 10}, "publish": {"routing_key": "q"}},
    {"name": "rest", "arrivals": {"process": "constant", "rate": 100}, "publish": {"routing_key": "q"}}],
    "search": {"loads": ["a", "b"], "from": 50}})"));
  EXPECT_EQ(first(result)["from_per_s"], 50);
  // 100/s of the 400/s are taken.
  EXPECT_NEAR(first(result)["sustained_per_s"].get<double>(), 300, 20);
  const Json& loads = result["plan"]["variants"]["rate=50"]["load"];
  EXPECT_EQ(loads[0]["arrivals"]["rate"], 12.5);
  EXPECT_EQ(loads[1]["arrivals"]["rate"], 12.5);
  EXPECT_EQ(loads[2]["arrivals"]["rate"], 100);
}

TEST(SimulatedSearch, TellsTheEndsOfItsRange) {
  const Json low = result_of_file(with(four_workers(), R"({"search": {"to": 250}})"));
  EXPECT_EQ(first(low)["outcome"], "at least");
  EXPECT_EQ(first(low)["sustained_per_s"], 250);
  EXPECT_THAT(report::headlines_of(low).front(), HasSubstr("at least 250/s"));
  const Json high = result_of_file(
      with(four_workers(), R"({"search": {"from": 500}, "thresholds": ["search.sustained_per_s > 1"]})"));
  EXPECT_EQ(first(high)["outcome"], "below");
  EXPECT_FALSE(first(high).contains("sustained_per_s"));
  EXPECT_THAT(report::headlines_of(high).front(), HasSubstr("does not sustain even 500/s: the backlog grew"));
  EXPECT_EQ(high["verdict"]["status"], "valid") << "that is an answer, too";
  EXPECT_EQ(high["thresholds"][0]["ok"], false);
}

TEST(SimulatedSearch, SaysInASentenceWhatItFoundAndDrawsTheKnee) {
  const Json result =
      result_of_file(with(four_workers(), R"({"search": {"conditions": ["end_to_end.p99 < 50ms"]}})"));
  EXPECT_THAT(report::headlines_of(result).front(),
              testing::MatchesRegex("Simulated, not measured: line sustains [0-9]+/s with end_to_end.p99 < "
                                    "50ms.*; at [0-9]+/s the backlog grew by [0-9.]+/s, .*"));
  EXPECT_EQ(report::search_table(result).rows.size(), first(result)["rates"].size());
  const std::vector<Json> results = {result};
  const ChartSource source(results);
  const Chart& knee = chart_named("knee");
  ASSERT_TRUE(knee.applies(source));
  const Json option = knee.draw(source).option;
  bool failed = false;
  for (const Json& series : option["series"]) failed |= series["name"] == "not sustained";
  EXPECT_TRUE(failed);
  EXPECT_THAT(option.dump(), HasSubstr("at most 50 ms"));
}

TEST(SimulatedSearch, OfOneRateIsDrawn) {
  const Json result = result_of_file(with(four_workers(), R"({"search": {"from": 1000}})"));
  ASSERT_EQ(first(result)["rates"].size(), 1U);
  EXPECT_EQ(rate_curves({&result}).size(), 1U);
}

TEST(SimulatedSearch, AnOrdinaryMatrixOverTheRateHasAKnee) {
  Json matrix =
      with(four_workers(), R"({"search": null, "matrix": {"load.l.arrivals.rate": [100, 200, 450]}})");
  const std::vector<Json> results = {result_of_file(matrix)};
  const Chart& knee = chart_named("knee");
  EXPECT_TRUE(knee.applies(ChartSource(results)));
  matrix["matrix"] = {{"roles.w.instances", {1, 4}}};
  const std::vector<Json> others = {result_of_file(matrix)};
  EXPECT_FALSE(knee.applies(ChartSource(others)));
}

TEST(SimulatedSearch, ThePlanTellsNoFewerTrialsThanThereAre) {
  const Folder folder;
  const Experiment experiment = load_experiments(folder.write(four_workers())).front();
  const Json result = result_of_file(four_workers());
  EXPECT_LE(result["runs"].size(), static_cast<std::size_t>(SearchPlan(experiment).most_trials()));
  EXPECT_THAT(search_text(experiment), HasSubstr("at most 16 trials, 32 s of load"));
}

}  // namespace
}  // namespace brokerlab
