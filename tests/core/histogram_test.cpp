#include "core/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "core/random.h"
#include "tests/answer_of.h"

namespace brokerlab {
namespace {

// How far two values of the same bucket can be apart: one part in 1024, at least one.
std::int64_t resolution(std::int64_t value) { return std::max<std::int64_t>(1, value / 1024 + 1); }

Histogram lognormal(std::uint64_t seed, int samples, std::vector<std::int64_t>* values = nullptr) {
  Random random(seed);
  Histogram histogram;
  for (int i = 0; i < samples; ++i) {
    const auto value = static_cast<std::int64_t>(std::exp(random.normal(13.0, 2.5))) + 1;
    histogram.record(value);
    if (values != nullptr) {
      values->push_back(value);
    }
  }
  return histogram;
}

TEST(Histogram, EmptyHasNoValues) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.quantile(0.99), 0);
  EXPECT_TRUE(histogram.buckets().empty());
}

TEST(Histogram, IsExactUpTo2047) {
  Histogram histogram;
  for (std::int64_t value = 1; value <= 2047; ++value) {
    histogram.record(value);
  }
  ASSERT_EQ(histogram.buckets().size(), 2047u);
  EXPECT_EQ(histogram.buckets().front().value, 1);
  EXPECT_EQ(histogram.min(), 1);
  EXPECT_EQ(histogram.max(), 2047);
  EXPECT_EQ(histogram.quantile(0.5), 1024);
  EXPECT_DOUBLE_EQ(histogram.mean(), 1024);
}

TEST(Histogram, BucketsMeetWithoutGapOrOverlap) {
  // Every power of two, and its neighbours, lands in a bucket that contains it to three digits.
  for (int power = 0; power <= 41; ++power) {
    for (const std::int64_t offset : {-1, 0, 1}) {
      const std::int64_t value = (std::int64_t{1} << power) + offset;
      if (value < 1 || value > Histogram::kHighest) {
        continue;
      }
      Histogram histogram;
      histogram.record(value);
      EXPECT_LE(histogram.min(), value);
      EXPECT_GE(histogram.max(), value);
      EXPECT_LT(histogram.max() - histogram.min(), resolution(value)) << value;
    }
  }
}

TEST(Histogram, QuantileIsTheNearestRank) {
  for (const int samples : {1, 2, 7, 100, 999, 1000, 1001, 20000}) {
    std::vector<std::int64_t> values;
    const Histogram histogram = lognormal(static_cast<std::uint64_t>(samples), samples, &values);
    std::sort(values.begin(), values.end());
    for (int thousandths = 0; thousandths <= 1000; ++thousandths) {
      // ceil(q n) by integers, so that the reference knows no rounding.
      const int rank = std::max(1, (thousandths * samples + 999) / 1000);
      const std::int64_t expected = values[static_cast<std::size_t>(rank - 1)];
      Histogram of_expected;
      of_expected.record(expected);
      EXPECT_EQ(histogram.quantile(thousandths / 1000.0), of_expected.max())
          << thousandths << " of " << samples;
    }
  }
}

TEST(Histogram, MeanIsCloseToTheSamples) {
  std::vector<std::int64_t> values;
  const Histogram histogram = lognormal(3, 50000, &values);
  double sum = 0;
  for (const std::int64_t value : values) {
    sum += static_cast<double>(value);
  }
  const double mean = sum / static_cast<double>(values.size());
  EXPECT_NEAR(histogram.mean(), mean, mean / 1000);
}

TEST(Histogram, CountsWhatIsOutOfRangeAndNeverClampsIt) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(-5, 2);
  histogram.record(INT64_MIN);
  histogram.record(Histogram::kHighest + 1);
  histogram.record(INT64_MAX, 3);
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.below_range(), 4);
  EXPECT_EQ(histogram.negative(), 3);
  EXPECT_EQ(histogram.above_range(), 4);
  EXPECT_EQ(histogram.max(), 0);
  histogram.record(Histogram::kLowest);
  histogram.record(Histogram::kHighest);
  EXPECT_EQ(histogram.count(), 2);
  EXPECT_GE(histogram.max(), Histogram::kHighest);
}

TEST(Histogram, MergeLosesNothing) {
  Histogram merged = lognormal(1, 3000);
  Histogram other = lognormal(2, 5000);
  other.record(-1);
  other.record(INT64_MAX);
  merged.merge(other);
  Histogram whole;
  for (const Histogram& part : {lognormal(1, 3000), lognormal(2, 5000)}) {
    for (const Histogram::Bucket& bucket : part.buckets()) {
      whole.record(bucket.value, bucket.samples);
    }
  }
  EXPECT_EQ(merged.count(), 8000);
  EXPECT_EQ(merged.negative(), 1);
  EXPECT_EQ(merged.above_range(), 1);
  EXPECT_EQ(merged.encode(), whole.encode());
  merged.merge(Histogram{});
  EXPECT_EQ(merged.encode(), whole.encode());
}

TEST(Histogram, EncodingComesBackTheSame) {
  Histogram extremes;
  extremes.record(1);
  extremes.record(2);
  extremes.record(Histogram::kHighest, std::int64_t{1} << 40);
  for (const Histogram& original : {Histogram{}, lognormal(5, 100), lognormal(6, 100000), extremes}) {
    const std::string text = original.encode();
    EXPECT_EQ(text.substr(0, 8), "HISTFAAA");
    const Histogram decoded = Histogram::decode(text);
    EXPECT_EQ(decoded.count(), original.count());
    EXPECT_EQ(decoded.min(), original.min());
    EXPECT_EQ(decoded.max(), original.max());
    EXPECT_DOUBLE_EQ(decoded.mean(), original.mean());
    EXPECT_EQ(decoded.encode(), text);
  }
}

TEST(Histogram, DecodeRefusesWhatIsDamaged) {
  const std::string text = lognormal(7, 1000).encode();
  for (std::size_t bytes = 0; bytes < text.size() - 4; bytes += 3) {
    EXPECT_THROW(Histogram::decode(std::string_view(text).substr(0, bytes)), Error) << bytes;
  }
  Random random(8);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = text;
    damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    try {
      EXPECT_GE(Histogram::decode(damaged).count(), 0);
    } catch (const Error&) {
    }
  }
  EXPECT_THROW(Histogram::decode("HISTEwAAAA=="), Error);
}

// What the library of the format's own authors says of our bytes, and its own bytes for us to read.
Json independent_reading(const std::string& encoded) {
  const std::filesystem::path folder = std::filesystem::path(BROKERLAB_SOURCE_DIR) / "tests/independent";
  return answer_of("node '" + (folder / "histogram.js").string() + "'", Json{{"encoded", encoded}}.dump());
}

void expect_same(const Histogram& ours, const Json& theirs) {
  EXPECT_EQ(ours.count(), theirs["count"].get<std::int64_t>());
  EXPECT_EQ(ours.min(), theirs["min"].get<std::int64_t>());
  EXPECT_EQ(ours.max(), theirs["max"].get<std::int64_t>());
  EXPECT_DOUBLE_EQ(ours.mean(), theirs["mean"].get<double>());
  EXPECT_EQ(ours.quantile(0.5), theirs["p50"].get<std::int64_t>());
  EXPECT_EQ(ours.quantile(0.9), theirs["p90"].get<std::int64_t>());
  EXPECT_EQ(ours.quantile(0.99), theirs["p99"].get<std::int64_t>());
  EXPECT_EQ(ours.quantile(0.999), theirs["p99_9"].get<std::int64_t>());
}

TEST(Histogram, AnIndependentReaderAgrees) {
  if (!std::filesystem::exists(std::filesystem::path(BROKERLAB_SOURCE_DIR) /
                               "tests/independent/node_modules")) {
    GTEST_SKIP() << "the independent reader is not installed: run script/bootstrap";
  }
  const Histogram ours = lognormal(9, 12345);
  const Json answer = independent_reading(ours.encode());
  expect_same(ours, answer["read"]);

  const Histogram theirs = Histogram::decode(answer["own"]["encoded"].get<std::string>());
  expect_same(theirs, answer["own"]);
  EXPECT_EQ(theirs.count(), 42 * 43 / 2);
}

}  // namespace
}  // namespace brokerlab
