#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/clock.h"

namespace brokerlab::live {

// The upper bounds of the histograms that are scraped: 1, 2.5, 5 and 7.5 of every decade from 10 us on. All
// the bounds that OpenTelemetry advises for messaging (5 ms to 10 s) are among them, so that its dashboards
// fit, and below them there are enough to see a broker that is fast.
struct Bound {
  Nanoseconds ns;
  const char* seconds;
};
inline constexpr std::array<Bound, 27> kBounds = {{
    {10'000, "1e-05"},        {25'000, "2.5e-05"},      {50'000, "5e-05"},        {75'000, "7.5e-05"},
    {100'000, "0.0001"},      {250'000, "0.00025"},     {500'000, "0.0005"},      {750'000, "0.00075"},
    {1'000'000, "0.001"},     {2'500'000, "0.0025"},    {5'000'000, "0.005"},     {7'500'000, "0.0075"},
    {10'000'000, "0.01"},     {25'000'000, "0.025"},    {50'000'000, "0.05"},     {75'000'000, "0.075"},
    {100'000'000, "0.1"},     {250'000'000, "0.25"},    {500'000'000, "0.5"},     {750'000'000, "0.75"},
    {1'000'000'000, "1.0"},   {2'500'000'000, "2.5"},   {5'000'000'000, "5.0"},   {7'500'000'000, "7.5"},
    {10'000'000'000, "10.0"}, {30'000'000'000, "30.0"}, {60'000'000'000, "60.0"},
}};

// Samples counted by those bounds; the last one counts what is above all of them. A value.
class Buckets {
 public:
  void add(Nanoseconds value) {
    std::size_t i = 0;
    while (i < kBounds.size() && value > kBounds[i].ns) ++i;
    ++counts_[i];
    ++count_;
    sum_ns_ += value;
  }
  std::uint64_t count() const { return count_; }
  double sum_s() const { return static_cast<double>(sum_ns_) / kNanosecondsPerSecond; }
  const std::array<std::uint64_t, kBounds.size() + 1>& counts() const { return counts_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  std::uint64_t count_ = 0;
  std::int64_t sum_ns_ = 0;
};

}  // namespace brokerlab::live
