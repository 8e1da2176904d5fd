#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// What a plan wants to know of an entry of `load` before anything runs. Pure, but for the files the entry
// names.

// The (exchange, routing key) pairs the entry can publish to, without repetition, in a stable order. Empty
// when they are not known beforehand or are more than 254.
std::vector<std::pair<std::string, std::string>> possible_routes(const Json& entry);

// Exactly how many messages all instances of the entry will intend within `load_ns`. Nothing for a closed
// loop, whose messages follow from the broker's speed, and for random arrivals when no seed is given or when
// counting them would take longer than a plan may.
std::optional<std::uint64_t> scheduled_count(const Json& entry, Nanoseconds load_ns,
                                             std::optional<std::uint64_t> seed = {},
                                             const std::filesystem::path& directory = {});

}  // namespace brokerlab
