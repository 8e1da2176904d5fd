#include "core/distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>

#include "core/error.h"

namespace brokerlab {
namespace {

std::unique_ptr<Distribution> of(const char* text, Distribution::NumberParser number = plain_number) {
  return Distribution::from_json(Json::parse(text), number);
}

class DrawnMoments : public ::testing::TestWithParam<std::tuple<const char*, double, double>> {};

// The moments declared are the formulas', and what is drawn has them.
TEST_P(DrawnMoments, Agree) {
  const auto [text, mean, second_moment] = GetParam();
  const auto distribution = of(text);
  EXPECT_NEAR(distribution->mean(), mean, 1e-6 * mean);
  EXPECT_NEAR(distribution->second_moment(), second_moment, 1e-6 * second_moment);
  Random random(11);
  constexpr int kDraws = 400000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = distribution->draw(random, static_cast<std::uint64_t>(i));
    ASSERT_GE(x, 0.0);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, mean, 0.01 * mean);
  EXPECT_NEAR(squares / kDraws, second_moment, 0.05 * second_moment);
}

INSTANTIATE_TEST_SUITE_P(
    Distribution, DrawnMoments,
    ::testing::Values(
        std::make_tuple("5", 5.0, 25.0),
        std::make_tuple(R"({"distribution": "uniform", "min": 2, "max": 4})", 3.0, 28.0 / 3),
        std::make_tuple(R"({"distribution": "exponential", "mean": 0.5})", 0.5, 0.5),
        std::make_tuple(R"({"distribution": "normal", "mean": 10, "deviation": 1})", 10.0, 101.0),
        // Half of a bell around 0 is cut: mean 1/sqrt(2 pi), second moment 1/2.
        std::make_tuple(R"({"distribution": "normal", "mean": 0, "deviation": 1})", 0.3989422804014327, 0.5),
        std::make_tuple(R"({"distribution": "normal", "mean": 3, "deviation": 0})", 3.0, 9.0),
        std::make_tuple(R"({"distribution": "lognormal", "mean": 2, "deviation": 1})", 2.0, 5.0),
        std::make_tuple(R"({"distribution": "pareto", "minimum": 1, "shape": 6})", 1.2, 1.5),
        std::make_tuple(R"({"distribution": "choice", "values": [1, 2, 6]})", 3.0, 41.0 / 3),
        std::make_tuple(R"({"distribution": "choice", "values": [1, 9], "weights": [3, 1]})", 3.0, 21.0),
        std::make_tuple(R"({"distribution": "cycle", "values": [1, 2, 3, 4]})", 2.5, 7.5)));

TEST(Distribution, InfiniteMomentsAreInfinite) {
  const auto pareto = of(R"({"distribution": "pareto", "minimum": 1, "shape": 1})");
  EXPECT_TRUE(std::isinf(pareto->mean()));
  EXPECT_TRUE(std::isinf(of(R"({"distribution": "pareto", "minimum": 1, "shape": 2})")->second_moment()));
}

TEST(Distribution, CycleFollowsTheIndexOnly) {
  const auto cycle = of(R"({"distribution": "cycle", "values": ["1ms", "2ms", 0.003]})", number_of_seconds);
  Random random(1);
  EXPECT_DOUBLE_EQ(cycle->draw(random, 0), 0.001);
  EXPECT_DOUBLE_EQ(cycle->draw(random, 5), 0.003);
  EXPECT_DOUBLE_EQ(cycle->draw(random, 4), 0.002);
}

TEST(Distribution, TakesUnits) {
  EXPECT_DOUBLE_EQ(of(R"("10ms")", number_of_seconds)->mean(), 0.01);
  EXPECT_DOUBLE_EQ(of("0.25", number_of_seconds)->mean(), 0.25);
  EXPECT_DOUBLE_EQ(of(R"({"distribution": "uniform", "min": "1KiB", "max": 3072})", number_of_bytes)->mean(),
                   2048);
}

TEST(Distribution, AChoiceNeverDrawsWhatHasNoWeight) {
  const auto choice = of(R"({"distribution": "choice", "values": [1, 2, 3], "weights": [1, 0, 1]})");
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_NE(choice->draw(random, 0), 2);
  }
}

TEST(Distribution, RefusesWhatMakesNoSense) {
  for (const char* text :
       {R"(-1)", R"("fast")", R"(true)", R"({"mean": 1})", R"({"distribution": "gauss", "mean": 1})",
        R"({"distribution": "exponential"})", R"({"distribution": "exponential", "mean": -1})",
        R"({"distribution": "exponential", "mean": 1, "deviation": 1})",
        R"({"distribution": "exponential", "mean": 1, "weights": [1]})",
        R"({"distribution": "uniform", "min": 2, "max": 1})", R"({"distribution": "choice", "values": []})",
        R"({"distribution": "choice", "values": [1, 2], "weights": [1]})",
        R"({"distribution": "choice", "values": [1], "weights": [0]})",
        R"({"distribution": "lognormal", "mean": 0, "deviation": 1})",
        R"({"distribution": "pareto", "minimum": 1, "shape": 0})",
        R"({"distribution": "cycle", "values": [1, -1]})"}) {
    EXPECT_THROW(of(text), Error) << text;
  }
  try {
    of(R"({"distribution": "exponentail", "mean": 1})");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.remedy(), "did you mean \"exponential\"?");
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
  }
}

}  // namespace
}  // namespace brokerlab
