#include "core/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace brokerlab {
namespace {

// xoshiro256** as its authors publish it, seeded by four outputs of splitmix64 from 1234567. The first of
// those (6457827717110365317) is splitmix64's own well-known vector.
TEST(Random, KnownSequence) {
  std::uint64_t state[4] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                            4593380528125082431u};
  const auto rotl = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
  Random random(1234567);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t expected = rotl(state[1] * 5, 7) * 9;
    const std::uint64_t t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45);
    ASSERT_EQ(random.next(), expected) << i;
  }
}

TEST(Random, StreamsOfOtherPurposesAndInstancesDiffer) {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t instance = 0; instance < 20; ++instance) {
      firsts.insert(Random(seed, "arrivals", instance).next());
      firsts.insert(Random(seed, "routing_key", instance).next());
    }
  }
  EXPECT_EQ(firsts.size(), 800u);
  EXPECT_EQ(Random(5, "arrivals", 3).next(), Random(5, "arrivals", 3).next());
}

TEST(Random, UniformStaysInItsIntervalWithTheRightMoments) {
  Random random(2);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 200000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 0.004);
}

TEST(Random, BelowIsUnbiased) {
  Random random(3);
  constexpr int kDraws = 300000;
  int seen[7] = {};
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t x = random.below(7);
    ASSERT_LT(x, 7u);
    ++seen[x];
  }
  double chi_squared = 0;
  for (const int count : seen) {
    chi_squared += std::pow(count - kDraws / 7.0, 2) / (kDraws / 7.0);
  }
  EXPECT_LT(chi_squared, 22.5);  // 6 degrees of freedom, one in a thousand
  EXPECT_EQ(random.below(1), 0u);
  EXPECT_EQ(random.below(0), 0u);
  // A bound of 3/4 of the range: plain modulo would draw the lower third twice as often.
  int low = 0;
  for (int i = 0; i < 30000; ++i) {
    low += random.below(std::uint64_t{3} << 62) < (std::uint64_t{1} << 62);
  }
  EXPECT_NEAR(low / 30000.0, 1.0 / 3, 0.015);
}

TEST(Random, BetweenIncludesBothEnds) {
  Random random(4);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(random.between(-2, 2));
  }
  EXPECT_EQ(seen, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(random.between(9, 9), 9);
  random.between(INT64_MIN, INT64_MAX);  // the whole range is no overflow
}

TEST(Random, ExponentialAndNormalHaveTheirMoments) {
  Random random(5);
  constexpr int kDraws = 400000;
  double exponential = 0, exponential_squares = 0, normal = 0, normal_squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double e = random.exponential(2.0);
    const double n = random.normal(10.0, 3.0);
    ASSERT_GE(e, 0.0);
    exponential += e;
    exponential_squares += e * e;
    normal += n;
    normal_squares += (n - 10) * (n - 10);
  }
  EXPECT_NEAR(exponential / kDraws, 2.0, 5 * 2.0 / std::sqrt(kDraws));
  EXPECT_NEAR(exponential_squares / kDraws, 8.0, 0.2);
  EXPECT_NEAR(normal / kDraws, 10.0, 5 * 3.0 / std::sqrt(kDraws));
  EXPECT_NEAR(normal_squares / kDraws, 9.0, 0.15);
}

}  // namespace
}  // namespace brokerlab
