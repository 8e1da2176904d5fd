#include "analysis/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "core/random.h"

namespace brokerlab {
namespace {

std::vector<double> counting(double from, int n) {
  std::vector<double> values;
  for (int i = 0; i < n; ++i) values.push_back(from + i);
  return values;
}

TEST(Statistics, SmallestPsAreThoseOfOneSidedData) {
  for (const auto& [n, p] : {std::pair{5, .0625}, {6, .03125}, {8, .0078125}, {10, .001953125}}) {
    EXPECT_DOUBLE_EQ(signed_rank_p(counting(1, n)), p);
    EXPECT_DOUBLE_EQ(smallest_signed_rank_p(static_cast<std::size_t>(n)), p);
  }
  EXPECT_NEAR(mann_whitney_p(counting(1, 4), counting(10, 4)), 2.0 / 70, 1e-12);
  EXPECT_NEAR(mann_whitney_p(counting(1, 5), counting(10, 5)), 2.0 / 252, 1e-12);
  EXPECT_NEAR(smallest_mann_whitney_p(4, 4), 2.0 / 70, 1e-12);
  EXPECT_NEAR(smallest_mann_whitney_p(5, 5), 2.0 / 252, 1e-12);
}

// Darwin's maize: both figures stand in the documentation of scipy.stats.wilcoxon.
TEST(Statistics, SignedRankAgreesWithPublishedExample) {
  const std::vector<double> d = {6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75};
  EXPECT_DOUBLE_EQ(signed_rank_p(d), 0.041259765625);
}

// The example of scipy.stats.mannwhitneyu: U = 17, p = 1/9.
TEST(Statistics, MannWhitneyAgreesWithPublishedExample) {
  EXPECT_NEAR(mann_whitney_p({19, 22, 16, 29, 24}, {20, 11, 17, 12}), 1.0 / 9, 1e-12);
}

TEST(Statistics, ZerosAreLeftOutAndTiesCountExactly) {
  EXPECT_EQ(signed_rank_p({0, 0, 0}), 1);
  EXPECT_DOUBLE_EQ(signed_rank_p({0, 1, 2, 3, 4, 5, 6}), .03125);
  EXPECT_DOUBLE_EQ(signed_rank_p({1, 1, 1, 1, 1, 1}), .03125);
  EXPECT_DOUBLE_EQ(signed_rank_p({1, 1, -1}), 1);  // 3 of 8 and more on each side
  EXPECT_EQ(mann_whitney_p({7, 7, 7, 7}, {7, 7, 7, 7}), 1);
  EXPECT_EQ(mann_whitney_p({}, {1}), 1);
}

TEST(Statistics, HodgesLehmannBoundsOnlyWhatCanBeBounded) {
  EXPECT_FALSE(hodges_lehmann(counting(1, 5)).interval);
  const Estimate six = hodges_lehmann(counting(1, 6));
  EXPECT_DOUBLE_EQ(six.value, 3.5);
  ASSERT_TRUE(six.interval);
  EXPECT_EQ(six.interval->low, 1);
  EXPECT_EQ(six.interval->high, 6);
  EXPECT_FALSE(hodges_lehmann_shift(counting(1, 3), counting(1, 3)).interval);
  const Estimate shift = hodges_lehmann_shift(counting(1, 4), counting(11, 4));
  EXPECT_DOUBLE_EQ(shift.value, 10);
  ASSERT_TRUE(shift.interval);  // critical value 0: all 16 differences
  EXPECT_EQ(shift.interval->low, 7);
  EXPECT_EQ(shift.interval->high, 13);
}

// The same data on both sides of the border between exact and normal.
TEST(Statistics, NormalApproximationContinuesTheExactOne) {
  std::vector<double> fifty = counting(-17, 51);  // with its 0 left out: 50
  std::vector<double> more = counting(-17, 52);
  EXPECT_NEAR(signed_rank_p(fifty), signed_rank_p(more), .01);
  EXPECT_NEAR(mann_whitney_p(counting(0, 25), counting(6.5, 25)),
              mann_whitney_p(counting(0, 26), counting(6.5, 25)), .03);
}

TEST(Statistics, CliffsDeltaAndHolm) {
  EXPECT_EQ(cliffs_delta({1, 2}, {3, 4}), 1);
  EXPECT_EQ(cliffs_delta({3, 4}, {1, 2}), -1);
  EXPECT_EQ(cliffs_delta({1, 2}, {1, 2}), 0);
  const auto adjusted = holm_adjusted({.01, .04, .03, .005});
  EXPECT_DOUBLE_EQ(adjusted[0], .03);
  EXPECT_DOUBLE_EQ(adjusted[1], .06);
  EXPECT_DOUBLE_EQ(adjusted[2], .06);
  EXPECT_DOUBLE_EQ(adjusted[3], .02);
}

// Without a difference, for log-normal and heavy-tailed (exponent 1.5) trials. The tests are exact, with true
// levels of .0488 and .0433 at 10 blocks: a single thousand may well have more than 50 alarms, so the bound
// is on ten thousand, with three standard errors of room. The first thousand is printed for the reader.
TEST(Statistics, FalseAlarmsStayAtTheLevelOfTheTest) {
  constexpr int kTrials = 10'000;
  const double most = kTrials * .05 + 3 * std::sqrt(kTrials * .05 * .95);
  for (const bool heavy : {false, true}) {
    Random random(1, heavy ? "heavy" : "log-normal", 0);
    const auto unit = [&] { return (static_cast<double>(random.next() >> 11) + .5) / 0x1p53; };
    const auto trial = [&] {
      if (heavy) return -std::log(unit()) / 1.5;  // the logarithm of a Pareto value
      const double radius = std::sqrt(-2 * std::log(unit()));
      return radius * std::cos(2 * M_PI * unit());
    };
    int paired = 0, unpaired = 0;
    for (int i = 0; i < kTrials; ++i) {
      std::vector<double> a, b, ratios;
      for (int block = 0; block < 10; ++block) {
        a.push_back(trial());
        b.push_back(trial());
        ratios.push_back(b.back() - a.back());
      }
      paired += signed_rank_p(ratios) < .05;
      unpaired += mann_whitney_p(a, b) < .05;
      if (i + 1 == 1000 || i + 1 == kTrials)
        std::printf("false alarms in %d, %s: paired %d, unpaired %d\n", i + 1,
                    heavy ? "heavy-tailed" : "log-normal", paired, unpaired);
    }
    EXPECT_LE(paired, most);
    EXPECT_LE(unpaired, most);
  }
}

}  // namespace
}  // namespace brokerlab
