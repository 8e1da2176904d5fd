#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brokerlab::amqp {

using Bytes = std::vector<std::byte>;

// AMQP by hand, independent of the code under test.
class Wire {
 public:
  Wire& u8(std::uint64_t value) { return number(value, 1); }
  Wire& u16(std::uint64_t value) { return number(value, 2); }
  Wire& u32(std::uint64_t value) { return number(value, 4); }
  Wire& u64(std::uint64_t value) { return number(value, 8); }
  Wire& raw(std::string_view text) {
    for (const char each : text) bytes_.push_back(static_cast<std::byte>(each));
    return *this;
  }
  Wire& raw(const Bytes& more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  Wire& short_text(std::string_view text) { return u8(text.size()).raw(text); }
  Wire& long_text(std::string_view text) { return u32(text.size()).raw(text); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Wire& number(std::uint64_t value, int width) {
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
      bytes_.push_back(static_cast<std::byte>(value >> shift & 0xFFU));
    return *this;
  }
  Bytes bytes_;
};

inline Bytes frame(int type, int channel, const Bytes& payload) {
  return Wire()
      .u8(static_cast<unsigned>(type))
      .u16(static_cast<unsigned>(channel))
      .u32(payload.size())
      .raw(payload)
      .u8(0xCE)
      .bytes();
}

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// A field table with `depth` tables one within another.
inline Bytes nested_tables(int depth) {
  Bytes table = Wire().u32(0).bytes();
  for (int i = 0; i < depth; ++i) {
    const auto entry = Wire().short_text("k").raw("F").raw(table).bytes();
    table = Wire().u32(entry.size()).raw(entry).bytes();
  }
  return table;
}

}  // namespace brokerlab::amqp
