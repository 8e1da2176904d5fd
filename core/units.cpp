#include "core/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "core/error.h"

namespace brokerlab {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 6> kDurationUnits{
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
constexpr std::array<Unit, 8> kSizeUnits{{{"", 1},
                                          {"B", 1},
                                          {"kB", 1e3},
                                          {"KiB", 1024},
                                          {"MB", 1e6},
                                          {"MiB", 1048576},
                                          {"GB", 1e9},
                                          {"GiB", 1073741824}}};
constexpr char kDurationRemedy[] =
    "write a number and a unit of ns, us, ms, s, m or h, e.g. \"250ms\" or \"1.5s\"";
constexpr char kSizeRemedy[] =
    "write a number of bytes, or a number and a unit of B, kB, KiB, MB or MiB, e.g. \"4KiB\"";

[[noreturn]] void refuse(const std::string& what, const char* remedy) {
  throw Error(what, "", remedy, ExitStatus::kUsage);
}

// Multiplies and rounds; negative, infinite and too large numbers give -1. 2^62 leaves room to add such
// values up.
std::int64_t scaled(double number, double factor) {
  const double value = std::round(number * factor);
  return value >= 0 && value < 0x1p62 ? static_cast<std::int64_t>(value) : -1;
}

// The number and unit of `text`, or -1 when it is not a plain decimal number followed by one of `units`.
template <std::size_t N>
std::int64_t parse_with_unit(std::string_view text, const std::array<Unit, N>& units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + digits, number, std::chars_format::fixed);
  if (failure != std::errc() || end != text.data() + digits || text.front() == '.') {
    return -1;
  }
  for (const Unit& unit : units) {
    if (text.substr(digits) == unit.name) {
      return scaled(number, unit.factor);
    }
  }
  return -1;
}

// Three significant digits of `value`, counted in the largest of `units` that does not exceed it.
template <std::size_t N>
std::string in_units(double value, const std::array<Unit, N>& units) {
  // What would round to "1000 us" is "1 ms".
  std::size_t i = 0;
  while (i + 1 < N && std::abs(value) >= 0.9995 * units[i + 1].factor) {
    ++i;
  }
  const double shown = value / units[i].factor;
  // {:#.3g} would write 1.2e+03 and "5.00 ns".
  const double magnitude = std::abs(shown);
  const int decimals = i == 0 || magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2;
  std::string number = fmt::format("{:.{}f}", shown, decimals);
  if (number.find('.') != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') {
      number.pop_back();
    }
  }
  return number + (units[i].name.empty() ? "" : " ") + std::string(units[i].name);
}

}  // namespace

Nanoseconds parse_duration(std::string_view text) {
  if (text == "0") {
    return 0;
  }
  const std::int64_t value = parse_with_unit(text, kDurationUnits);
  if (value < 0) {
    refuse("\"" + std::string(text) + "\" is no duration", kDurationRemedy);
  }
  return value;
}

Nanoseconds parse_duration(const Json& value) {
  if (value.is_string()) {
    return parse_duration(std::string_view(value.get_ref<const std::string&>()));
  }
  const std::int64_t duration = value.is_number() ? scaled(value.get<double>(), 1e9) : -1;
  if (duration < 0) {
    refuse(value.dump(-1, ' ', false, Json::error_handler_t::replace) + " is no duration", kDurationRemedy);
  }
  return duration;
}

std::uint64_t parse_size(std::string_view text) {
  const std::int64_t value = parse_with_unit(text, kSizeUnits);
  if (value < 0) {
    refuse("\"" + std::string(text) + "\" is no size", kSizeRemedy);
  }
  return static_cast<std::uint64_t>(value);
}

std::uint64_t parse_size(const Json& value) {
  if (value.is_string()) {
    return parse_size(std::string_view(value.get_ref<const std::string&>()));
  }
  const std::int64_t size = value.is_number() ? scaled(value.get<double>(), 1) : -1;
  if (size < 0) {
    refuse(value.dump(-1, ' ', false, Json::error_handler_t::replace) + " is no size", kSizeRemedy);
  }
  return static_cast<std::uint64_t>(size);
}

std::string format_duration(Nanoseconds value) {
  constexpr std::array<Unit, 4> kShown{{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}};
  if (value > -600 * kNanosecondsPerSecond && value < 600 * kNanosecondsPerSecond) {
    return in_units(static_cast<double>(value), kShown);
  }
  constexpr std::array<Unit, 2> kLong{{{"min", 60e9}, {"h", 3600e9}}};
  return in_units(static_cast<double>(value), kLong);
}

std::string format_bytes(std::uint64_t value) {
  constexpr std::array<Unit, 5> kShown{
      {{"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"TiB", 1099511627776}}};
  return in_units(static_cast<double>(value), kShown);
}

std::string format_count(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) {
      text += ',';
    }
    text += digits[i];
  }
  return text;
}

std::string format_rate(double per_second) {
  if (!std::isfinite(per_second)) {
    return "-";
  }
  constexpr std::array<Unit, 4> kShown{{{"/s", 1}, {"k/s", 1e3}, {"M/s", 1e6}, {"G/s", 1e9}}};
  if (std::abs(per_second) < 99.95) {
    return fmt::format("{:.3g} /s", per_second);
  }
  return in_units(per_second, kShown);
}

}  // namespace brokerlab
