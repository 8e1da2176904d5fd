#include <gmock/gmock.h>

#include "analysis/chart_source.h"
#include "analysis/charts.h"
#include "analysis/svg.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;
using testing::Not;

Json pair_of(const std::string& metric, const std::string& verdict, const Json& figures) {
  Json pair = {{"baseline", "push"}, {"variant", "fair"},  {"metric", metric}, {"better", "lower"},
               {"trials", 10},       {"verdict", verdict}, {"sentence", "x"}};
  pair.update(figures);
  return pair;
}

Json result_with(const Json& pairs) {
  return {{"experiment", "e"},
          {"runs", Json::array({{{"variant", "push"}}, {{"variant", "fair"}}})},
          {"comparison", {{"pairs", pairs}}}};
}

Json worse_makespan() {
  return pair_of("makespan", "different",
                 {{"worse", true}, {"ratio", 1.3}, {"interval", {{"low", 1.2}, {"high", 1.4}}}, {"p", .002}});
}

Json series_named(const Json& option, const std::string& name) {
  for (const Json& series : option.at("series"))
    if (series.at("name") == name) return series;
  return nullptr;
}

TEST(Forest, EachFigureHasItsIntervalInTheColourOfItsVerdict) {
  const std::vector<Json> results = {result_with(Json::array(
      {worse_makespan(),
       pair_of("end_to_end.p50", "equivalent",
               {{"ratio", 1.0}, {"interval", {{"low", .99}, {"high", 1.01}}}, {"p", .9}}),
       pair_of("ledger.lost", "different",
               {{"worse", true}, {"exact", {{"baseline_most", 0}, {"variant_most", 12}}}}),
       pair_of("ledger.duplicates", "equivalent", {{"exact", {{"baseline_most", 0}, {"variant_most", 0}}}}),
       pair_of("done.p50", "not compared", {{"reason", "few"}})}))};
  const ChartSource source(results);
  ASSERT_TRUE(chart_named("forest").applies(source));
  const ChartDrawing drawing = chart_named("forest").draw(source);
  EXPECT_EQ(series_named(drawing.option, "worse").at("data"), Json::array({{1.2, 1.4, 1.3, 0}}));
  EXPECT_EQ(series_named(drawing.option, "the same").at("data"), Json::array({{.99, 1.01, 1, 1}}));
  EXPECT_EQ(drawing.option.at("yAxis")[0].at("data"), Json::array({"makespan", "end-to-end p50", "lost"}));
  const std::string svg = SvgRenderer().render(drawing);
  EXPECT_THAT(svg, HasSubstr("fair against push"));
  EXPECT_THAT(svg, HasSubstr("12 against none"));
  EXPECT_THAT(svg, Not(HasSubstr("NaN")));
  EXPECT_THAT(svg, Not(HasSubstr("@")));
}

TEST(Forest, WhatIsNotToBeTrustedLooksLikeIt) {
  Json pair = worse_makespan();
  pair["untrusted"] = true;
  const std::vector<Json> results = {result_with(Json::array({pair}))};
  const Json option = chart_named("forest").draw(ChartSource(results)).option;
  EXPECT_TRUE(series_named(option, "worse").is_null());
  EXPECT_FALSE(series_named(option, "not to be trusted").is_null());
}

TEST(Forest, FarChangesGetALogarithmicAxis) {
  Json pair = worse_makespan();
  pair["ratio"] = 9;
  pair["interval"]["high"] = 5000;  // drawn at the edge
  const std::vector<Json> results = {result_with(Json::array({pair}))};
  const Json option = chart_named("forest").draw(ChartSource(results)).option;
  EXPECT_EQ(option.at("xAxis")[0].at("type"), "log");
  EXPECT_EQ(series_named(option, "worse").at("data")[0][1], 64);
  EXPECT_THAT(SvgRenderer().render(chart_named("forest").draw(ChartSource(results))), HasSubstr("× 16"));
}

TEST(Forest, WithoutPairsThereIsNone) {
  const std::vector<Json> results = {result_with(Json::array()),
                                     {{"experiment", "old"}, {"runs", Json::array()}}};
  EXPECT_FALSE(chart_named("forest").applies(ChartSource(results)));
}

}  // namespace
}  // namespace brokerlab
