#pragma once

#include <cstdint>
#include <string_view>

namespace brokerlab {

// FNV-1a, 64 bits, of a routing key: what a recording keeps of it. Never 0, which stands for "not recorded".
constexpr std::uint64_t key_hash(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash != 0 ? hash : 1;
}

// What a recording keeps of the name of a queue in which a message died.
constexpr std::uint16_t queue_hash(std::string_view name) {
  return static_cast<std::uint16_t>(key_hash(name) & 0xffff);
}

}  // namespace brokerlab
