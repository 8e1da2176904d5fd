#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brokerlab {

// A histogram in the layout of HdrHistogram (Gil Tene, hdrhistogram.org): logarithmic buckets with linear
// sub-buckets, three significant digits, 1 ns to one hour. Mergeable without loss. record() is the hot path.
// Values outside the range, zero and negative ones included, are counted apart and never clamped: they are a
// flag.
class Histogram {
 public:
  static constexpr std::int64_t kLowest = 1;
  static constexpr std::int64_t kHighest = 3'600'000'000'000;
  static constexpr int kSignificantDigits = 3;

  Histogram();

  void record(std::int64_t value, std::int64_t times = 1) {
    if (static_cast<std::uint64_t>(value) - 1 >= static_cast<std::uint64_t>(kHighest)) [[unlikely]] {
      record_out_of_range(value, times);
      return;
    }
    counts_[index_of(value)] += times;
    count_ += times;
    min_ = value < min_ ? value : min_;
    max_ = value > max_ ? value : max_;
  }
  void merge(const Histogram& other);

  std::int64_t count() const { return count_; }        // in range
  std::int64_t below_range() const { return below_; }  // < 1, negative ones included
  std::int64_t negative() const { return negative_; }
  std::int64_t above_range() const { return above_; }
  std::int64_t min() const;  // lowest equivalent value recorded; 0 when empty
  std::int64_t max() const;  // highest equivalent value recorded; 0 when empty
  double mean() const;
  // Nearest rank: the value of sample ceil(q * count). q in [0, 1]. The highest equivalent value of its
  // bucket.
  std::int64_t quantile(double q) const;

  // For charts and exports: every non-empty bucket.
  struct Bucket {
    std::int64_t value;   // the highest equivalent one
    std::int64_t middle;  // stands for its samples in means, as in the other implementations
    std::int64_t samples;
  };
  std::vector<Bucket> buckets() const;

  // The V2 compressed exchange form, base64 ("HISTFAAA…"): readable by the Java, JavaScript and Python
  // libraries. What was out of range has no place in that form and is not in it.
  std::string encode() const;
  // Throws Error when the text is no V2 compressed histogram of this layout.
  static Histogram decode(std::string_view base64);

 private:
  // 2^11 = 2048 linear sub-buckets are what three significant digits need; every further bucket doubles the
  // width of its sub-buckets and adds the upper half of them. 32 buckets reach beyond one hour.
  static constexpr int kSubBucketBits = 11;
  static constexpr std::size_t kHalf = std::size_t{1} << (kSubBucketBits - 1);
  static constexpr std::size_t kBuckets = 32;
  static constexpr std::size_t kSlots = (kBuckets + 1) * kHalf;

  static std::size_t index_of(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    const int bucket = std::bit_width(bits | (2 * kHalf - 1)) - kSubBucketBits;
    return (static_cast<std::size_t>(bucket) << (kSubBucketBits - 1)) +
           static_cast<std::size_t>(bits >> bucket);
  }
  static std::int64_t lowest_of(std::size_t index);
  static std::int64_t width_of(std::size_t index);
  static std::int64_t middle_of(std::size_t index) { return lowest_of(index) + width_of(index) / 2; }
  void record_out_of_range(std::int64_t value, std::int64_t times);

  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0, below_ = 0, negative_ = 0, above_ = 0;
  std::int64_t min_ = INT64_MAX, max_ = 0;  // as recorded
};

}  // namespace brokerlab
