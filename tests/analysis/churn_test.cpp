#include "analysis/churn.h"

#include <gmock/gmock.h>

#include "analysis/chart_source.h"
#include "analysis/charts.h"
#include "analysis/summary.h"
#include "analysis/svg.h"
#include "tests/analysis/recorded_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

// A run of one churn "connections" whose process is written by the test; 200 ms of warm-up.
class Churn : public RecordedFixture {
 protected:
  Churn() {
    evidence["churn"] = {{{"name", "connections"}, {"kind", "connection"}}};
    evidence["phases"]["measure_start_ns"] = kStart + 200 * kMs;
    writer_ = &process("connections-0", "churn", "connections",
                       {{"publishers", Json::array()},
                        {"routes", Json::array()},
                        {"consumers", Json::array()},
                        {"queues", Json::array()}});
  }

  // `ended` 0: never answered.
  void operation(OperationKind kind, Nanoseconds intended, Nanoseconds started, Nanoseconds ended,
                 bool ok = true) {
    EventRecord& event = writer_->append_event(begun_operation(kind, 0, kStart + intended, kStart + started));
    if (ended != 0) end_operation(event, kStart + ended, ok);
  }
  void opened(Nanoseconds at, Nanoseconds took) {
    operation(OperationKind::kConnectionOpen, at, at, at + took);
  }
  void closed(Nanoseconds at, Nanoseconds took) {
    operation(OperationKind::kConnectionClose, at, at, at + took);
  }

  Json summarised() {
    writer_ = nullptr;
    close();
    return summarise(evidence, folder);
  }

  RecordingWriter* writer_;
};

TEST_F(Churn, CountsWhatWasOpenedClosedFailedAndNeverAnswered) {
  for (int i = 0; i < 11; ++i) {
    opened(i * 100 * kMs, 4 * kMs);
    closed(i * 100 * kMs + 50 * kMs, 2 * kMs);
  }
  operation(OperationKind::kConnectionOpen, 500 * kMs, 500 * kMs, 507 * kMs, false);
  operation(OperationKind::kConnectionOpen, 600 * kMs, 600 * kMs, 0);
  const Json run = summarised();
  const Json entry = run.at("churn").at(0);
  EXPECT_EQ(
      entry.at("open"),
      (Json{{"operation", "connection_open"}, {"begun", 13}, {"done", 11}, {"failed", 1}, {"undecided", 1}}));
  EXPECT_EQ(entry.at("close").at("done"), 11);
  EXPECT_EQ(entry.at("left_open"), 0);
  EXPECT_NEAR(entry.at("opened_per_s").get<double>(), 10, 1e-6) << "ten intervals in a second";
  EXPECT_EQ(run.at("verdict").at("status"), "valid") << run.at("verdict");
}

// Times are of the measured part, from the start and from when it was due; failures have none.
TEST_F(Churn, TimesLeaveOutTheWarmUpAndWhatFailed) {
  opened(10 * kMs, 90 * kMs);
  for (int i = 0; i < 20; ++i) operation(OperationKind::kConnectionOpen, 300 * kMs, 310 * kMs, 314 * kMs);
  operation(OperationKind::kConnectionOpen, 400 * kMs, 400 * kMs, 480 * kMs, false);
  const Json latency = summarised().at("latency");
  EXPECT_EQ(latency.at("connection_open").at("count"), 20);
  EXPECT_NEAR(latency.at("connection_open").at("p50_ns").get<double>(), 4e6, 4e4);
  EXPECT_NEAR(latency.at("connection_open_from_intended").at("p50_ns").get<double>(), 14e6, 14e4);
  EXPECT_FALSE(latency.contains("connection_close"));
}

TEST_F(Churn, WhatStaysOpenIsAnImbalanceUnlessAFaultTookIt) {
  for (int i = 0; i < 3; ++i) opened(i * 100 * kMs, 4 * kMs);
  const Json run = summarised();
  EXPECT_EQ(run.at("churn").at(0).at("left_open"), 3);
  EXPECT_EQ(state(run, "COUNTS_DONT_BALANCE"), "fail");
  EXPECT_EQ(run.at("verdict").at("status"), "invalid");
}

TEST_F(Churn, AFaultMayEndWhatWasOpen) {
  for (int i = 0; i < 3; ++i) opened(i * 100 * kMs, 4 * kMs);
  evidence["faults"].push_back({{"kind", "pause"}, {"target", "broker"}, {"started_ns", kStart + 10 * kMs}});
  EXPECT_NE(state(summarised(), "COUNTS_DONT_BALANCE"), "fail");
}

TEST_F(Churn, TheSeriesHoldsWhatWasDoneWhen) {
  for (int i = 0; i < 100; ++i) {
    opened(i * 10 * kMs, (i < 50 ? 2 : 6) * kMs);
    closed(i * 10 * kMs + 5 * kMs, kMs);
  }
  const Json run = summarised();
  EXPECT_EQ(run_schema_errors(run), "");
  const Json series = run.at("churn").at(0).at("series");
  const double seconds = series.at("interval_ns").get<double>() / 1e9;
  double opened = 0, closed = 0;
  for (const Json& rate : series.at("opened_per_s")) opened += rate.get<double>() * seconds;
  for (const Json& rate : series.at("closed_per_s")) closed += rate.get<double>() * seconds;
  EXPECT_NEAR(opened, 100, 1e-6);
  EXPECT_NEAR(closed, 100, 1e-6);
  const Json& mean = series.at("open_mean_ns");
  const Json& most = series.at("open_max_ns");
  ASSERT_EQ(mean.size(), series.at("opened_per_s").size());
  EXPECT_EQ(mean.at(0), 2e6);
  EXPECT_EQ(most.at(mean.size() * 3 / 4), 6e6);
}

TEST_F(Churn, TheChartShowsRatesTimesAndEveryOperation) {
  for (int i = 0; i < 40; ++i) {
    opened(200 * kMs + i * 10 * kMs, 3 * kMs);
    closed(205 * kMs + i * 10 * kMs, kMs);
  }
  const Json result = {{"experiment", "churn"}, {"runs", {summarised()}}};
  const std::vector<Json> results = {result};
  const ChartSource source(results);
  const Chart& chart = chart_named("churn");
  ASSERT_TRUE(chart.applies(source));
  const std::string drawn = SvgRenderer().render(chart.draw(source));
  for (const char* text : {"connections", "connection close ", "slowest "})
    EXPECT_THAT(drawn, testing::HasSubstr(text));
  const std::vector<Json> without = {{{"experiment", "plain"}, {"runs", {{{"variant", "v"}}}}}};
  EXPECT_FALSE(chart.applies(ChartSource(without)));
}

}  // namespace
}  // namespace brokerlab
