#pragma once

#include <vector>

#include "core/clock.h"
#include "core/distribution.h"
#include "core/json.h"

namespace brokerlab {

// A quantity that changes over time: one value after the other, each for so long, and then again from the
// first. A value.
class Profile {
 public:
  // From [{"value", "for"}, …]. Throws Error (kUsage).
  static Profile from_json(const Json& steps, Distribution::NumberParser number);
  // `since_start` below 0 counts as 0.
  double at(Nanoseconds since_start) const;

 private:
  struct Step {
    double value = 0;
    Nanoseconds end_ns = 0;  // from the start of a round
  };
  std::vector<Step> steps_;
};

}  // namespace brokerlab
