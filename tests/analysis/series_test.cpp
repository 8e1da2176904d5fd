#include "analysis/series.h"

#include <gtest/gtest.h>

namespace brokerlab {
namespace {

constexpr Nanoseconds kMs = 1'000'000;

TEST(Series, TakesFiftyToTwoHundredIntervalsOfRoundLength) {
  for (Nanoseconds span = 50 * kMs; span < 7200'000 * kMs; span = span * 11 / 10) {
    const Nanoseconds interval = SeriesBuilder::interval_for(span);
    const Nanoseconds points = span / interval + 1;
    EXPECT_GE(points, 50) << span;
    EXPECT_LE(points, 200) << span;
  }
  EXPECT_EQ(SeriesBuilder::interval_for(10'000 * kMs), 100 * kMs);
}

TEST(Series, CountsPerSecondAndKeepsZerosThatWereMeasured) {
  SeriesBuilder series(100 * kMs);
  series.published(0);
  series.published(kMs / 2);
  const Json json = series.to_json(true, false);
  EXPECT_EQ(json.at("published_per_s")[0], 2000.0);
  EXPECT_EQ(json.at("published_per_s")[1], 0.0);
  EXPECT_FALSE(json.contains("delivered_per_s")) << "there was nobody to deliver to";
  EXPECT_FALSE(json.contains("end_to_end_p50_ns"));
}

TEST(Series, KnowsTheBacklogOrSaysNothing) {
  SeriesBuilder series(100 * kMs);
  series.copies_sent(0, 3);
  series.copy_done(5 * kMs);
  EXPECT_EQ(series.backlog()[0], 3);
  EXPECT_EQ(series.backlog()[5], 2);
  series.backlog_unknown();
  EXPECT_FALSE(series.to_json(true, true).contains("backlog"));
}

TEST(CoarseHistogram, IsExactToItsStep) {
  CoarseHistogram histogram;
  for (std::int64_t i = 1; i <= 10'000; ++i) histogram.record(i * 1000);
  EXPECT_NEAR(static_cast<double>(*histogram.quantile(500)), 5e6, 5e6 * 0.016);
  EXPECT_NEAR(static_cast<double>(*histogram.quantile(990)), 9.9e6, 9.9e6 * 0.016);
  EXPECT_EQ(histogram.max(), 10'000'000);
}

TEST(CoarseHistogram, NeedsTenSamplesBeyondAQuantile) {
  CoarseHistogram histogram;
  for (int i = 0; i < 19; ++i) histogram.record(5);
  EXPECT_FALSE(histogram.quantile(500).has_value());
  histogram.record(5);
  EXPECT_EQ(histogram.quantile(500), 5);
}

}  // namespace
}  // namespace brokerlab
