#include "core/stamp.h"

#include <zlib.h>

namespace brokerlab {
namespace {

template <class Integer>
void put(std::byte* out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    out[i] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * (sizeof value - 1 - i)));
  }
}

template <class Integer>
Integer take(const std::byte* in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = value << 8 | static_cast<std::uint64_t>(in[i]);
  }
  return static_cast<Integer>(value);
}

}  // namespace

std::size_t Stamp::encode(std::span<std::byte, kMostBytes> out) const {
  put(&out[0], run);
  put(&out[8], publisher);
  put(&out[12], hops);
  put(&out[kSequenceOffset], sequence);
  put(&out[kIntendedOffset], intended_ns);
  put(&out[kSentOffset], sent_ns);
  std::size_t bytes = kBytes;
  if (origin) {
    put(&out[40], origin->publisher);
    put(&out[44], std::uint32_t{0});
    put(&out[48], origin->sequence);
    put(&out[56], origin->intended_ns);
    bytes = kBytesWithOrigin;
  }
  if (!verified) return bytes;
  put(&out[bytes], std::uint32_t{0});
  return bytes + kChecksumBytes;
}

std::optional<Stamp> Stamp::decode(std::span<const std::byte> bytes) {
  // None of the sizes has the bit of the checksum's four bytes otherwise.
  const std::size_t without_checksum = bytes.size() & ~kChecksumBytes;
  if (without_checksum != kBytes && without_checksum != kBytesWithOrigin) {
    return std::nullopt;
  }
  Stamp stamp;
  stamp.run = take<std::uint64_t>(&bytes[0]);
  stamp.publisher = take<std::uint32_t>(&bytes[8]);
  stamp.hops = take<std::uint32_t>(&bytes[12]);
  stamp.sequence = take<std::uint64_t>(&bytes[kSequenceOffset]);
  stamp.intended_ns = take<Nanoseconds>(&bytes[kIntendedOffset]);
  stamp.sent_ns = take<Nanoseconds>(&bytes[kSentOffset]);
  if (without_checksum == kBytesWithOrigin) {
    stamp.origin = Origin{.publisher = take<std::uint32_t>(&bytes[40]),
                          .sequence = take<std::uint64_t>(&bytes[48]),
                          .intended_ns = take<Nanoseconds>(&bytes[56])};
  }
  stamp.verified = (bytes.size() & kChecksumBytes) != 0;
  return stamp;
}

std::uint32_t Stamp::checksum_in(std::span<const std::byte> bytes) {
  return take<std::uint32_t>(&bytes[bytes.size() - kChecksumBytes]);
}

std::uint32_t body_checksum(std::span<const std::byte> body) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const unsigned char*>(body.data()), body.size()));
}

}  // namespace brokerlab
