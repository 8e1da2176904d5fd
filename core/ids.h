#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brokerlab {

// The identity of one run of the tool. The text names its folder and sorts by time; the number stands in the
// stamp of every message, and each follows from the other. Two runs of the same second differ in 24 random
// bits.
struct RunId {
  std::string text;          // "20261121-031355-a1b2c3", UTC
  std::uint64_t number = 0;  // below 2^53 until 2041, so that every JSON reader keeps it exactly

  // A new one; from the wall clock and the kernel's random numbers, never from a seed.
  static RunId make();
  // Throws Error (kUsage) when `text` is no run id.
  static RunId from_text(std::string_view text);
};

}  // namespace brokerlab
