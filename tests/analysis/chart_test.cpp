#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "analysis/chart_source.h"
#include "analysis/chart_style.h"
#include "analysis/charts.h"
#include "analysis/plot.h"
#include "analysis/svg.h"
#include "core/error.h"
#include "core/histogram.h"
#include "tests/analysis/report_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kMs = 1'000'000;

Json run_with(const std::string& variant, std::int64_t value, std::int64_t samples) {
  Histogram histogram;
  histogram.record(value, samples);
  return {{"variant", variant}, {"latency", {{"end_to_end", {{"hdr", histogram.encode()}}}}}};
}

std::vector<Json> result_of(Json runs) { return {{{"experiment", "x"}, {"runs", std::move(runs)}}}; }

// Everything that any chart would draw from these results, as text.
std::string all_options(const std::vector<Json>& results) {
  const ChartSource source(results);
  std::string text;
  for (const Chart& chart : charts()) {
    if (chart.applies(source)) text += chart.draw(source).option.dump() + "\n";
  }
  return text;
}

class Fixtures : public testing::TestWithParam<std::string> {};

TEST_P(Fixtures, ConformToTheSchemaOfResults) { EXPECT_EQ(schema_errors(fixture(GetParam())), ""); }

TEST_P(Fixtures, EveryChartThatAppliesIsDrawnAsAPicture) {
  const std::vector<Json> results = {fixture(GetParam())};
  const ChartSource source(results);
  SvgRenderer renderer;
  for (const Chart& chart : charts()) {
    if (!chart.applies(source)) continue;
    const ChartDrawing drawing = chart.draw(source);
    const std::string svg = renderer.render(drawing);
    EXPECT_THAT(svg, HasSubstr("<text")) << chart.name;
    EXPECT_THAT(svg, Not(HasSubstr("NaN"))) << chart.name;
    EXPECT_THAT(svg, Not(HasSubstr("undefined"))) << chart.name;
    EXPECT_THAT(svg, Not(HasSubstr("@"))) << chart.name << ": a token was not replaced";
    EXPECT_GT(png_from_svg(svg, 0.5).size(), 1000u) << chart.name << ": librsvg must be able to read it";
  }
}

INSTANTIATE_TEST_SUITE_P(All, Fixtures,
                         testing::Values("work_queue", "fanout_vs_direct", "broker_stall", "sparse",
                                         "many_variants"),
                         [](const auto& info) { return info.param; });

// Its names hold "@", so that it is drawn apart: what counts is that nothing of them becomes markup.
TEST(Charts, HostileNamesStayText) {
  const std::vector<Json> results = {fixture("hostile")};
  const ChartSource source(results);
  SvgRenderer renderer;
  for (const Chart& chart : charts()) {
    if (!chart.applies(source)) continue;
    const std::string svg = renderer.render(chart.draw(source));
    EXPECT_THAT(svg, Not(HasSubstr("<script"))) << chart.name;
    EXPECT_THAT(svg, Not(HasSubstr("<img"))) << chart.name;
    EXPECT_GT(png_from_svg(svg, 1).size(), 1000u) << chart.name;
  }
}

// Takes every key of a run away and then sets it to null; nothing may throw or come out as a number instead.
void take_away_each(const Json& result, Json& part, const std::string& where, int depth) {
  for (auto& [key, value] : part.items()) {
    Json kept = value;
    value = nullptr;
    EXPECT_NO_THROW(all_options({result})) << where << "/" << key << " null";
    value = kept;
    if (depth > 0 && value.is_object() && key != "plan")
      take_away_each(result, value, where + "/" + key, depth - 1);
  }
}

TEST(Charts, AnyPartMayBeMissing) {
  for (const char* name : {"broker_stall", "work_queue"}) {
    Json result = fixture(name);
    result["runs"] = Json::array({result["runs"][0]});  // one run: what is missing is missing everywhere
    take_away_each(result, result["runs"][0], "/runs/0", 2);
  }
  EXPECT_NO_THROW(all_options({Json::object()}));
  EXPECT_NO_THROW(all_options({}));
  EXPECT_NO_THROW(all_options({{{"runs", {Json::object(), nullptr, 3, "x"}}}}));
}

TEST(Charts, RecoveryShowsWindowsAsAreasAndMomentsAsLines) {
  Json result = fixture("broker_stall");
  result["runs"] = Json::array({result["runs"][0]});
  Json& run = result["runs"][0];
  const auto interval = run["series"]["interval_ns"].get<std::int64_t>();
  run["faults"] =
      Json::array({{{"kind", "pause"}, {"target", "broker"}, {"at_ns", interval}, {"ended_ns", 9 * interval}},
                   {{"kind", "kill"}, {"target", "worker"}, {"at_ns", interval}, {"ended_ns", interval + 5}},
                   {{"kind", "stop"}, {"target", "nobody"}}});  // never came
  const std::vector<Json> results = {result};
  const ChartSource source(results);
  ASSERT_TRUE(chart_named("recovery").applies(source));
  const std::string option = chart_named("recovery").draw(source).option.dump();
  EXPECT_THAT(option, HasSubstr(R"("markArea")"));
  EXPECT_THAT(option, HasSubstr("pause broker"));
  EXPECT_THAT(option, HasSubstr(R"("markLine")"));
  EXPECT_THAT(option, HasSubstr("kill worker"));
  EXPECT_THAT(option, Not(HasSubstr("stop nobody")));
  for (const char* rate : {"published", "confirmed", "delivered", "backlog"})
    EXPECT_THAT(option, HasSubstr(rate));
  run["faults"] = Json::array();
  const std::vector<Json> calm = {result};
  EXPECT_FALSE(chart_named("recovery").applies(ChartSource(calm)));
}

TEST(Charts, WhatWasNotMeasuredIsNoZero) {
  const std::vector<Json> results = {
      fixture("fanout_vs_direct")};  // the direct variant has a single consumer: no index
  const std::string svg = SvgRenderer().render(chart_named("fairness").draw(ChartSource(results)));
  EXPECT_THAT(svg, HasSubstr("not measured"));
  EXPECT_THAT(svg, Not(HasSubstr(">0.000<")));
}

TEST(Charts, TheComparisonLeavesOutWhatIsTheSameEverywhere) {
  const std::vector<Json> results = {fixture("work_queue")};
  const std::string option = chart_named("comparison").draw(ChartSource(results)).option.dump();
  EXPECT_THAT(option, HasSubstr("All done after"));
  EXPECT_THAT(option, Not(HasSubstr("amplification"))) << "one delivery per message in both variants";
}

TEST(Charts, IdlenessIsNoPicture) {
  std::vector<Json> results = {fixture("broker_stall")};
  for (Json& consumer : results[0]["runs"][0]["fairness"]["consumers"]) consumer["busy_ns"] = 0;
  EXPECT_FALSE(chart_named("busy-time-per-worker").applies(ChartSource(results)));
  EXPECT_TRUE(chart_named("messages-per-worker").applies(ChartSource(results)));
}

TEST(Charts, RepetitionsAreMergedNotAveraged) {
  // 100 samples of 1 ms and 300 of 9 ms: the median of all is 9 ms, the mean of the medians would be 5 ms.
  const std::vector<Json> results = result_of({run_with("a", 1 * kMs, 100), run_with("a", 9 * kMs, 300)});
  const Json option = chart_named("latency").draw(ChartSource(results)).option;
  std::set<std::string> names;
  for (const Json& series : option["series"]) {
    names.insert(series["name"]);
    for (const Json& point : series["data"]) {
      const double share = 1 - std::pow(10, -point[0].get<double>());
      EXPECT_NEAR(point[1].get<double>(),
                  share < 0.24   ? 1
                  : share > 0.26 ? 9
                                 : point[1].get<double>(),
                  0.01)
          << share;
    }
  }
  EXPECT_EQ(names, std::set<std::string>{"a"});
}

TEST(Charts, APercentileWithFewSamplesBeyondItIsDrawnApart) {
  const std::vector<Json> results = result_of(Json::array({run_with("a", kMs, 1000)}));
  const Json series = chart_named("latency").draw(ChartSource(results)).option["series"];
  ASSERT_EQ(series.size(), 2u);
  EXPECT_NEAR(series[0]["data"].back()[0].get<double>(), 2, 0.02)
      << "trusted up to 99 %, where ten lie beyond";
  EXPECT_EQ(series[1]["lineStyle"]["type"], "dotted");
  EXPECT_NEAR(series[1]["data"].back()[0].get<double>(), 3, 0.02);
}

TEST(Charts, TheUncorrectedViewIsDashed) {
  const std::vector<Json> results = {fixture("broker_stall")};
  const Json series = chart_named("latency").draw(ChartSource(results)).option["series"];
  bool dashed = false;
  for (const Json& each : series) {
    if (each["name"] == "pause-broker (from the send)" && each["lineStyle"]["type"] == "dashed")
      dashed = true;
  }
  EXPECT_TRUE(dashed);
}

TEST(Charts, AVariantHasOneColourEverywhere) {
  const std::vector<Json> results = {fixture("work_queue")};
  const ChartSource both(results);
  const ChartSource second = both.only(1);
  EXPECT_EQ(chart::colour_of(both.variants()[1]), chart::colour_of(second.variants()[0]));
  const std::string alone = chart_named("busy-time-per-worker").draw(second).option.dump();
  EXPECT_THAT(alone, HasSubstr("@series1"));
  EXPECT_THAT(alone, Not(HasSubstr("@series0\",\"itemStyle")));
}

TEST(Charts, FaultsAreShaded) {
  const std::vector<Json> results = {fixture("broker_stall")};
  for (const char* name : {"throughput", "latency-over-time", "backlog"}) {
    const std::string option = chart_named(name).draw(ChartSource(results)).option.dump();
    EXPECT_THAT(option, HasSubstr("markArea")) << name;
    EXPECT_THAT(option, HasSubstr("pause broker")) << name;
    EXPECT_THAT(option, HasSubstr("kill consumer")) << name << ": a fault without an end is a line";
  }
}

TEST(Charts, BusyTimeNamesJainsIndex) {
  const std::vector<Json> results = {fixture("work_queue")};
  EXPECT_THAT(chart_named("busy-time-per-worker").draw(ChartSource(results)).option.dump(),
              HasSubstr("push · Jain 0.616"));
}

TEST(Charts, TheSameDrawingGivesTheSameBytes) {
  const std::vector<Json> results = {fixture("work_queue")};
  const ChartSource source(results);
  SvgRenderer renderer;
  const std::string first = renderer.render(chart_named("latency").draw(source));
  renderer.render(chart_named("ledger").draw(source));
  EXPECT_EQ(renderer.render(chart_named("latency").draw(source)), first) << "whatever was drawn before it";
  EXPECT_EQ(SvgRenderer().render(chart_named("latency").draw(source)), first);
}

TEST(Charts, VariantsOfSeveralResultsAreToldApart) {
  const std::vector<Json> suite = {fixture("work_queue"), fixture("fanout_vs_direct")};
  EXPECT_EQ(ChartSource(suite).variants()[0].name, "work-queue / push");
  std::vector<Json> twice = {fixture("broker_stall"), fixture("broker_stall")};
  twice[1]["run_id"] = "second";
  EXPECT_EQ(ChartSource(twice).variants()[1].name, "broker-stall second / pause-broker");
}

TEST(Charts, AnUnknownNameIsAnsweredWithTheNearest) {
  try {
    chart_named("latancy");
    FAIL() << "there is no such chart";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"latency\""));
    EXPECT_THAT(error.remedy(), HasSubstr("busy-time-per-worker"));
  }
}

TEST(Charts, TheGuideListsExactlyTheseCharts) {
  std::ifstream guide(BROKERLAB_SOURCE_DIR "/docs/plots.md");
  ASSERT_TRUE(guide);
  std::vector<std::string> listed;
  for (std::string line; std::getline(guide, line);) {
    if (line.rfind("| `", 0) == 0) listed.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  std::vector<std::string> known;
  for (const Chart& chart : charts()) known.emplace_back(chart.name);
  EXPECT_EQ(listed, known);
}

TEST(DisplayText, HasNoControlCharactersAndIsValid) {
  EXPECT_EQ(display_text("a\x1b[31mb\x07"), "a\xef\xbf\xbd[31mb\xef\xbf\xbd");
  EXPECT_EQ(display_text("\xff\xc0\xaf\xed\xa0\x80"),
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(display_text("\xe2\x80\xae"
                         "evil"),
            "\xef\xbf\xbd"
            "evil")
      << "text is not turned around";
  EXPECT_EQ(display_text("žluťoučký 🐇"), "žluťoučký 🐇");
  EXPECT_EQ(display_text("abcdef", 3), "abc…");
}

}  // namespace
}  // namespace brokerlab
