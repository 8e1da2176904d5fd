#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brokerlab {

// A histogram in the layout of HdrHistogram (Gil Tene, hdrhistogram.org): logarithmic buckets with linear sub-buckets,
// three significant digits, 1 ns to one hour. Mergeable without loss. record() is the hot path.
// Values outside the range, zero and negative ones included, are counted apart and never clamped: they are a flag.
class Histogram {
 public:
  static constexpr std::int64_t kLowest = 1;
  static constexpr std::int64_t kHighest = 3'600'000'000'000;
  static constexpr int kSignificantDigits = 3;

  Histogram();

  void record(std::int64_t value, std::int64_t times = 1);
  void merge(const Histogram& other);

  std::int64_t count() const { return count_; }           // in range
  std::int64_t below_range() const { return below_; }     // < 1, negative ones included
  std::int64_t negative() const { return negative_; }
  std::int64_t above_range() const { return above_; }
  std::int64_t min() const;                               // lowest equivalent value recorded; 0 when empty
  std::int64_t max() const;                               // highest equivalent value recorded; 0 when empty
  double mean() const;
  // Nearest rank: the value of sample ceil(q * count). q in [0, 1]. The highest equivalent value of its bucket.
  std::int64_t quantile(double q) const;

  // For charts: every non-empty bucket as (highest equivalent value, samples).
  struct Bucket {
    std::int64_t value;
    std::int64_t samples;
  };
  std::vector<Bucket> buckets() const;

  // The V2 compressed exchange form, base64 ("HISTFAAA…"): readable by the Java, JavaScript and Python libraries.
  std::string encode() const;
  // Throws Error when the text is no V2 compressed histogram of this layout.
  static Histogram decode(std::string_view base64);

 private:
  static std::size_t index_of(std::int64_t value);

  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0, below_ = 0, negative_ = 0, above_ = 0;
  std::int64_t min_ = 0, max_ = 0;
};

}  // namespace brokerlab
