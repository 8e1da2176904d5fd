#pragma once

#include <cmath>

#include "core/clock.h"

namespace brokerlab {

// What a declared fault does to the work of a role's process: hangs it, or makes every effort longer. Shared
// by its consumers; one loop.
struct Hindrance {
  bool hangs = false;  // nothing is begun or finished; heartbeats go on
  double factor = 1;
  Nanoseconds add_ns = 0;

  bool none() const { return !hangs && factor == 1 && add_ns == 0; }
  Nanoseconds slowed(Nanoseconds effort_ns) const {
    return std::llround(static_cast<double>(effort_ns) * factor) + add_ns;
  }
};

}  // namespace brokerlab
