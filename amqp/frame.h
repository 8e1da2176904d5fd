#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace brokerlab::amqp {

// The framing of AMQP 0-9-1: type octet, channel, payload size, payload, end octet.
enum class FrameType : std::uint8_t { kMethod = 1, kHeader = 2, kBody = 3, kHeartbeat = 8 };

inline constexpr std::size_t kFrameHeaderBytes = 7;
inline constexpr std::size_t kFrameOverhead = 8;  // header and end octet
inline constexpr std::byte kFrameEnd{0xCE};
inline constexpr std::uint32_t kFrameMaxDefault = 131072;
inline constexpr std::uint32_t kFrameMaxLowest = 4096;
inline constexpr std::uint32_t kFrameMaxHighest = 1 << 20;
inline constexpr std::byte kProtocolHeader[8] = {std::byte{'A'}, std::byte{'M'}, std::byte{'Q'},
                                                 std::byte{'P'}, std::byte{0},   std::byte{0},
                                                 std::byte{9},   std::byte{1}};

// Big endian words at unaligned addresses.
template <typename Word>
inline Word load_big_endian(const std::byte* from) {
  static_assert(std::is_unsigned_v<Word>);
  Word word;
  std::memcpy(&word, from, sizeof word);
  if constexpr (std::endian::native == std::endian::little) {
    if constexpr (sizeof(Word) == 2) word = __builtin_bswap16(word);
    if constexpr (sizeof(Word) == 4) word = __builtin_bswap32(word);
    if constexpr (sizeof(Word) == 8) word = __builtin_bswap64(word);
  }
  return word;
}
template <typename Word>
inline void store_big_endian(std::byte* to, Word word) {
  static_assert(std::is_unsigned_v<Word>);
  if constexpr (std::endian::native == std::endian::little) {
    if constexpr (sizeof(Word) == 2) word = __builtin_bswap16(word);
    if constexpr (sizeof(Word) == 4) word = __builtin_bswap32(word);
    if constexpr (sizeof(Word) == 8) word = __builtin_bswap64(word);
  }
  std::memcpy(to, &word, sizeof word);
}

struct FrameHeader {
  std::uint8_t type = 0;
  std::uint16_t channel = 0;
  std::uint32_t payload_bytes = 0;

  static FrameHeader load(const std::byte* from) {
    return {static_cast<std::uint8_t>(from[0]), load_big_endian<std::uint16_t>(from + 1),
            load_big_endian<std::uint32_t>(from + 3)};
  }
  void store(std::byte* to) const {
    to[0] = static_cast<std::byte>(type);
    store_big_endian(to + 1, channel);
    store_big_endian(to + 3, payload_bytes);
  }
};

}  // namespace brokerlab::amqp
