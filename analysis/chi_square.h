#pragma once

#include <optional>
#include <span>

namespace brokerlab {

// Chi-square of counts against equal shares, degrees of freedom one less than there are counts. Nothing for
// fewer than two counts, or none counted at all.
std::optional<double> chi_square_of_equal(std::span<const double> counts);

// How often chance alone gives a chi-square as large: the upper tail at that many degrees of freedom, at
// least one.
double chi_square_p_value(double chi_square, int degrees_of_freedom);

}  // namespace brokerlab
