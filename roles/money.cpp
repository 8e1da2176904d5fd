#include "roles/money.h"

#include <algorithm>
#include <limits>
#include <string_view>

namespace brokerlab {
namespace {

constexpr std::int64_t kMillionthsPerUnit = 1'000'000;
constexpr std::size_t kDecimals = 6;
constexpr std::size_t kMostDigits = 12;  // before the point

__extension__ using Wide = __int128;

std::int64_t divided(Wide dividend, std::int64_t divisor) {
  return static_cast<std::int64_t>((dividend + divisor / 2) / divisor);  // nothing is negative here
}

bool digits_only(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<Money> Money::from_json(const Json& value) {
  if (!value.is_number() && !value.is_string()) return std::nullopt;
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string whole = text.substr(0, point);
  std::string decimals = point < text.size() ? text.substr(point + 1) : "";
  const bool shaped = !whole.empty() && whole.size() <= kMostDigits && decimals.size() <= kDecimals;
  if (!shaped || !digits_only(whole) || !digits_only(decimals)) return std::nullopt;
  if (point < text.size() && decimals.empty()) return std::nullopt;
  decimals.resize(kDecimals, '0');
  return Money(std::stoll(whole) * kMillionthsPerUnit + std::stoll(decimals));
}

std::optional<Money> Money::times(std::int64_t units) const {
  const Wide product = static_cast<Wide>(millionths_) * units;
  if (units < 0 || product > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return Money(static_cast<std::int64_t>(product));
}

Money Money::less_per_cent(int per_cent) const {
  return Money(divided(static_cast<Wide>(millionths_) * (100 - per_cent), 100));
}

std::string Money::to_text() const {
  const std::int64_t cents = divided(millionths_, kMillionthsPerUnit / 100);
  const std::string digits = std::to_string(cents % 100);
  return std::to_string(cents / 100) + (digits.size() < 2 ? ".0" : ".") + digits;
}

}  // namespace brokerlab
