#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/json.h"

namespace brokerlab {

// Fields of what others wrote: absent, null and of another type all mean "not known"; 0 is a value.
template <typename T = std::int64_t>
std::optional<T> known_number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<T>();
}

// Empty where it is not known.
inline std::string known_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace brokerlab
