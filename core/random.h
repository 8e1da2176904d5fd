#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace brokerlab {

// xoshiro256** seeded by splitmix64 (Blackman and Vigna, 2018). Our own because the standard library's
// distributions differ between implementations, and the same seed must give the same experiment everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  // An independent stream for a named purpose ("arrivals", "routing_key", …) of one instance: adding a
  // consumer of randomness to one purpose never shifts another.
  Random(std::uint64_t seed, std::string_view purpose, std::uint64_t instance);

  std::uint64_t next();
  double uniform();                                           // [0, 1)
  std::uint64_t below(std::uint64_t bound);                   // [0, bound), unbiased
  std::int64_t between(std::int64_t low, std::int64_t high);  // inclusive
  double exponential(double mean);
  double normal(double mean, double deviation);

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace brokerlab
