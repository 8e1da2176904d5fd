#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/distribution.h"
#include "core/json.h"

namespace brokerlab {

// The `arrivals` of a load, parsed. Rates are messages per second of each instance.
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

// One entry of `load` in an experiment file. A value; parsed once per process and shared by its instances.
struct LoadSpec {
  std::string name;
  std::uint32_t instances = 1;
  std::uint32_t processes = 1;
  std::uint32_t channels_per_connection = 100;
  Arrivals arrivals;
  std::string exchange;
  Json routing_key = "";  // text, {"choice": […]}, {"cycle": […]} or {"template": "…"}
  bool mandatory = true;
  bool persistent = false;
  std::optional<std::uint8_t> priority;
  Json headers = Json::object();
  std::optional<std::string> content_type;
  std::optional<Nanoseconds> expiration_ns;
  Json body = {{"size", 100}};
  bool confirms = true;
  std::uint32_t window = 1000;
  std::optional<std::uint64_t> stop_count;  // messages of each instance
  std::optional<Nanoseconds> stop_after_ns;
  std::filesystem::path directory;  // where the relative paths of the entry start

  bool closed_loop() const { return std::holds_alternative<ClosedArrivals>(arrivals); }
  // No message of any instance is intended at or after this instant from the start.
  Nanoseconds horizon_ns(Nanoseconds load_ns) const;

  // Accepts an entry that has passed the schema, with or without its defaults. Throws Error (kUsage) naming
  // the key.
  static LoadSpec from_json(const Json& entry, const std::filesystem::path& directory = {});
};

// The (exchange, routing key) pairs the entry can publish to, without repetition, in a stable order. Empty
// when they are not known beforehand or are more than 254.
std::vector<std::pair<std::string, std::string>> possible_routes(const Json& entry);

// Exactly how many messages all instances of the entry will intend within `load_ns`. Nothing for a closed
// loop without a count, and for random arrivals when no seed is given or when counting them would take longer
// than a plan may.
std::optional<std::uint64_t> scheduled_count(const Json& entry, Nanoseconds load_ns,
                                             std::optional<std::uint64_t> seed = {},
                                             const std::filesystem::path& directory = {});

}  // namespace brokerlab
