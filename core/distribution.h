#pragma once

#include <memory>

#include "core/json.h"
#include "core/random.h"

namespace brokerlab {

// A source of non-negative numbers declared in an experiment file: a plain number (constant), or an object
//   {"distribution": "uniform", "min", "max"} | {"distribution": "exponential", "mean"} |
//   {"distribution": "normal", "mean", "deviation"} | {"distribution": "lognormal", "mean", "deviation"} |
//   {"distribution": "pareto", "minimum", "shape"} | {"distribution": "choice", "values": […], "weights"?:
//   […]} |
//   {"distribution": "cycle", "values": […]}
// Values are unitless here; the owner says what they are (seconds, bytes). Negative draws of normal become 0.
class Distribution {
 public:
  virtual ~Distribution() = default;
  // `index` is the message's number: cycle and nothing else depends on it.
  virtual double draw(Random& random, std::uint64_t index) const = 0;
  virtual double mean() const = 0;
  virtual double second_moment() const = 0;  // E[X^2]; infinite where it does not exist

  // Durations and sizes inside are accepted with units by `number` (e.g. parse_duration to seconds).
  using NumberParser = double (*)(const Json&);
  static std::unique_ptr<Distribution> from_json(const Json& value, NumberParser number);
};

// NumberParsers: a duration in seconds ("10ms" or 0.01), a size in bytes ("1KiB" or 1024), a plain number.
double number_of_seconds(const Json& value);
double number_of_bytes(const Json& value);
double plain_number(const Json& value);

}  // namespace brokerlab
