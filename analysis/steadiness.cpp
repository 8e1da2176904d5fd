#include "analysis/steadiness.h"

#include <vector>

namespace brokerlab {

std::optional<WarmUpCut> mser5(std::span<const double> points) {
  constexpr std::size_t kBatch = WarmUpCut::kBatch, kFewest = 10;
  std::vector<double> batches;
  for (std::size_t i = 0; i + kBatch <= points.size(); i += kBatch) {
    double sum = 0;
    for (std::size_t j = 0; j < kBatch; ++j) sum += points[i + j];
    batches.push_back(sum / kBatch);
  }
  if (batches.size() < kFewest) return std::nullopt;
  // From the back, so that each step adds one batch (Welford); the last few alone always look calm and are no
  // choice.
  WarmUpCut best{batches.size(), 0};
  double mean = 0, squares = 0, least = 0;
  bool found = false;
  for (std::size_t rest = 1; rest <= batches.size(); ++rest) {
    const double value = batches[batches.size() - rest], count = static_cast<double>(rest);
    const double before = value - mean;
    mean += before / count;
    squares += before * (value - mean);
    if (rest < kBatch) continue;
    const double error = squares / (count * count);
    if (!found || error <= least) {
      found = true;
      least = error;
      best.cut = batches.size() - rest;
    }
  }
  return best;
}

std::optional<double> slope(std::span<const double> points) {
  if (points.size() < 2) return std::nullopt;
  const double count = static_cast<double>(points.size()), middle = (count - 1) / 2;
  double products = 0, squares = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = static_cast<double>(i) - middle;
    products += x * points[i];
    squares += x * x;
  }
  return products / squares;
}

}  // namespace brokerlab
