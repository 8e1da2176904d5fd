#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/json.h"

namespace brokerlab {

// An amount of money, exact to a millionth of a unit: binary floating point cannot hold 0.10. A plain value.
class Money {
 public:
  // From a JSON number or a text of digits with at most six decimals, not negative; nothing for anything
  // else. A JSON number is taken as the shortest decimal that stands for it, which is how it was written when
  // it had at most 15 digits.
  static std::optional<Money> from_json(const Json& value);

  // Nothing where the product is beyond any till (2^63 millionths).
  std::optional<Money> times(std::int64_t units) const;
  Money less_per_cent(int per_cent) const;  // 0 to 100; exact to a millionth, halves away from zero
  std::string to_text() const;              // rounded to two decimals, halves away from zero: "31.90"

  bool operator==(const Money&) const = default;

 private:
  explicit Money(std::int64_t millionths) : millionths_(millionths) {}
  std::int64_t millionths_ = 0;
};

}  // namespace brokerlab
