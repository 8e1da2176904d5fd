#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace brokerlab {

// Where the warm-up ends: MSER-5 (White 1997; Franklin and White 2008) over equally spaced points. The points
// are averaged in batches of five; cut off are the d batches that leave the smallest squared standard error
// of the mean.
struct WarmUpCut {
  std::size_t batches = 0;  // of all
  std::size_t cut = 0;      // d*
  double share() const { return static_cast<double>(cut) / static_cast<double>(batches); }
  bool steady() const { return 2 * cut <= batches; }
  std::size_t points_cut() const { return kBatch * cut; }
  static constexpr std::size_t kBatch = 5;
};

// Nothing for fewer than ten batches. A monotone trend cuts nearly everything off, and is thereby not steady.
std::optional<WarmUpCut> mser5(std::span<const double> points);

// Least squares slope of equally spaced points, per step; nothing for fewer than two.
std::optional<double> slope(std::span<const double> points);

}  // namespace brokerlab
