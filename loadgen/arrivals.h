#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/distribution.h"
#include "core/json.h"

namespace brokerlab {

// The `arrivals` of a load, parsed: when messages are due. Rates are messages per second of each instance.
struct ConstantArrivals {
  double rate_per_s = 100;
};
struct PoissonArrivals {
  double rate_per_s = 100;
};
struct RampArrivals {
  double from_per_s = 0, to_per_s = 0;
  Nanoseconds over_ns = 0;
};
struct StepsArrivals {
  struct Step {
    double rate_per_s = 0;
    Nanoseconds for_ns = 0;
  };
  std::vector<Step> steps;
};
struct BurstArrivals {
  std::uint64_t size = 1;
  Nanoseconds every_ns = 0;
};
struct RenewalArrivals {
  std::shared_ptr<const Distribution> gap_s;
};
struct ReplayArrivals {
  std::shared_ptr<const std::vector<Nanoseconds>> times_ns;
};
struct ClosedArrivals {
  std::uint32_t outstanding = 1;
  Nanoseconds think_ns = 0;
};
using Arrivals = std::variant<ConstantArrivals, PoissonArrivals, RampArrivals, StepsArrivals, BurstArrivals,
                              RenewalArrivals, ReplayArrivals, ClosedArrivals>;

// Reads files that the entry names relative to `directory`. `where` is put into errors. Throws Error
// (kUsage).
Arrivals parse_arrivals(const Json& arrivals, const std::filesystem::path& directory,
                        const std::string& where);

}  // namespace brokerlab
