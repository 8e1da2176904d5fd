#include "analysis/chi_square.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace brokerlab {

std::optional<double> chi_square_of_equal(std::span<const double> counts) {
  const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
  if (counts.size() < 2 || sum <= 0) return std::nullopt;
  const double expected = sum / static_cast<double>(counts.size());
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  return chi_square;
}

// The regularised upper incomplete gamma function Q(df/2, chi^2/2). For whole and half arguments it is exact:
// Q(1/2, y) = erfc(sqrt y), Q(1, y) = exp(-y), Q(a + 1, y) = Q(a, y) + y^a exp(-y) / Gamma(a + 1).
double chi_square_p_value(double chi_square, int degrees_of_freedom) {
  if (chi_square <= 0) return 1;
  const double y = chi_square / 2;
  const bool even = degrees_of_freedom % 2 == 0;
  double a = even ? 1 : 0.5;
  double q = even ? std::exp(-y) : std::erfc(std::sqrt(y));
  for (; 2 * a < degrees_of_freedom; a += 1) q += std::exp(a * std::log(y) - y - std::lgamma(a + 1));
  return std::clamp(q, 0.0, 1.0);
}

}  // namespace brokerlab
