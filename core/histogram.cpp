#include "core/histogram.h"

#include <algorithm>
#include <cmath>

namespace brokerlab {

Histogram::Histogram() : counts_(kSlots) {}

std::int64_t Histogram::lowest_of(std::size_t index) {
  if (index < 2 * kHalf) {
    return static_cast<std::int64_t>(index);
  }
  const std::size_t bucket = index / kHalf - 1;
  return static_cast<std::int64_t>((index - bucket * kHalf) << bucket);
}

std::int64_t Histogram::width_of(std::size_t index) {
  return index < 2 * kHalf ? 1 : std::int64_t{1} << (index / kHalf - 1);
}

void Histogram::record_out_of_range(std::int64_t value, std::int64_t times) {
  if (value > kHighest) {
    above_ += times;
    return;
  }
  below_ += times;
  negative_ += value < 0 ? times : 0;
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kSlots; ++i) {
    counts_[i] += other.counts_[i];
  }
  count_ += other.count_;
  below_ += other.below_;
  negative_ += other.negative_;
  above_ += other.above_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::int64_t Histogram::min() const { return count_ == 0 ? 0 : lowest_of(index_of(min_)); }

std::int64_t Histogram::max() const {
  if (count_ == 0) {
    return 0;
  }
  const std::size_t index = index_of(max_);
  return lowest_of(index) + width_of(index) - 1;
}

double Histogram::mean() const {
  if (count_ == 0) {
    return 0;
  }
  double sum = 0;
  for (std::size_t i = index_of(min_); i <= index_of(max_); ++i) {
    sum += static_cast<double>(middle_of(i)) * static_cast<double>(counts_[i]);
  }
  return sum / static_cast<double>(count_);
}

std::int64_t Histogram::quantile(double q) const {
  if (count_ == 0) {
    return 0;
  }
  // One step below q: 0.07 * 100 is 7.000000000000001 in binary and must still be the 7th sample.
  const double below = std::nextafter(std::clamp(q, 0.0, 1.0), 0.0);
  const auto wanted = static_cast<std::int64_t>(std::ceil(below * static_cast<double>(count_)));
  const std::int64_t rank = std::clamp<std::int64_t>(wanted, 1, count_);
  std::int64_t reached = 0;
  for (std::size_t i = index_of(min_); i < kSlots; ++i) {
    reached += counts_[i];
    if (reached >= rank) {
      return lowest_of(i) + width_of(i) - 1;
    }
  }
  return max();
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> buckets;
  if (count_ == 0) {
    return buckets;
  }
  for (std::size_t i = index_of(min_); i <= index_of(max_); ++i) {
    if (counts_[i] != 0) {
      buckets.push_back({lowest_of(i) + width_of(i) - 1, middle_of(i), counts_[i]});
    }
  }
  return buckets;
}

}  // namespace brokerlab
