#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// "10s", "5ms", "250us", "2m", "1h", "1.5s", "100ns"; a bare number is refused except 0. Throws Error
// (kUsage).
Nanoseconds parse_duration(std::string_view text);
// Texts turn into a string_view as readily as into Json: these say which is meant.
inline Nanoseconds parse_duration(const char* text) { return parse_duration(std::string_view(text)); }
inline Nanoseconds parse_duration(const std::string& text) { return parse_duration(std::string_view(text)); }
// A JSON duration: a string as above, or a number of seconds.
Nanoseconds parse_duration(const Json& value);
// "100", "1KiB", "4MiB", "1kB" (powers of 1024 with i, of 1000 without). Throws Error (kUsage).
std::uint64_t parse_size(std::string_view text);
inline std::uint64_t parse_size(const char* text) { return parse_size(std::string_view(text)); }
inline std::uint64_t parse_size(const std::string& text) { return parse_size(std::string_view(text)); }
std::uint64_t parse_size(const Json& value);

// For people, three significant digits: "1.23 ms", "275 us", "12.4 s".
std::string format_duration(Nanoseconds value);
// "1.21 KiB", "3.4 MiB".
std::string format_bytes(std::uint64_t value);
// "12,345"; "12.3 k/s" for rates.
std::string format_count(std::uint64_t value);
std::string format_rate(double per_second);

}  // namespace brokerlab
