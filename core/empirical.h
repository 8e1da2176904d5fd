#pragma once

#include <vector>

#include "core/distribution.h"
#include "core/json.h"

namespace brokerlab {

// What was measured, drawn from again: a distribution known by some of its quantiles, straight lines between
// them. A plain value.
class Empirical final : public Distribution {
 public:
  struct Point {
    double share = 0;  // of the samples that are at most `value`
    double value = 0;
  };

  // Keeps the tail finer than the middle. At least one sample.
  static Empirical of_samples(std::vector<double> samples);
  // [[share, value], …] with both rising, from share 0 to 1. Throws Error (kUsage) for anything else.
  static Empirical from_json(const Json& points, const std::string& where);
  Json to_json() const;

  double draw(Random& random, std::uint64_t index) const override;
  double mean() const override { return mean_; }
  double second_moment() const override;
  double quantile(double share) const;

  // The same, every value so much less, but none below zero.
  Empirical less(double amount) const;
  // What is left of each quantile when the same one of `part` is taken away: where both rise and fall
  // together, the rest of a sum. Nothing below zero.
  Empirical rest_of_sum(const Empirical& part) const;

 private:
  explicit Empirical(std::vector<Point> points);

  std::vector<Point> points_;
  double mean_ = 0;
};

}  // namespace brokerlab
