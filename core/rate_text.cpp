#include "core/rate_text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "core/units.h"

namespace brokerlab {

std::string format_whole_rate(double per_second) {
  const double size = std::abs(per_second);
  constexpr double kThousand = 999.5, kMost = 1e15;
  if (!(size >= kThousand && size < kMost)) return fmt::format("{:.3g}/s", per_second);
  const double step = std::pow(10.0, std::floor(std::log10(size)) - 2);
  const std::string digits = format_count(static_cast<std::uint64_t>(std::round(size / step) * step));
  return (per_second < 0 ? "-" : "") + digits + "/s";
}

}  // namespace brokerlab
