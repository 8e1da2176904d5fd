#include "analysis/steadiness.h"

#include <gtest/gtest.h>

#include <vector>

namespace brokerlab {
namespace {

TEST(Mser5, CutsTheWarmUpOfTheKnownCase) {
  std::vector<double> points(50, 100.0);
  for (int i = 50; i < 500; ++i) points.push_back(i % 2 ? 11 : 9);
  const auto cut = mser5(points);
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(cut->batches, 100u);
  EXPECT_EQ(cut->cut, 10u);
  EXPECT_TRUE(cut->steady());
}

TEST(Mser5, RejectsATrend) {
  std::vector<double> rising, falling;
  for (int i = 0; i < 500; ++i) {
    rising.push_back(i);
    falling.push_back(500 - i);
  }
  EXPECT_FALSE(mser5(rising)->steady());
  EXPECT_FALSE(mser5(falling)->steady());
}

TEST(Mser5, KeepsEverythingOfASteadyRun) {
  std::vector<double> points;
  for (int i = 0; i < 200; ++i) points.push_back(10 + i % 5);
  EXPECT_EQ(mser5(points)->cut, 0u);
}

TEST(Mser5, SaysNothingOfTooFewPoints) { EXPECT_FALSE(mser5(std::vector<double>(49, 1.0)).has_value()); }

TEST(Slope, IsThatOfALine) {
  EXPECT_DOUBLE_EQ(slope(std::vector<double>{1, 3, 5, 7}).value(), 2);
  EXPECT_DOUBLE_EQ(slope(std::vector<double>{4, 4, 4}).value(), 0);
  EXPECT_FALSE(slope(std::vector<double>{1}).has_value());
}

}  // namespace
}  // namespace brokerlab
