#include "core/stamp.h"

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

std::size_t Stamp::encode(std::span<std::byte, kBytesWithOrigin> out) const {
  put(&out[0], run);
  put(&out[8], publisher);
  put(&out[12], hops);
  put(&out[kSequenceOffset], sequence);
  put(&out[kIntendedOffset], intended_ns);
  put(&out[kSentOffset], sent_ns);
  if (!origin) {
    return kBytes;
  }
  put(&out[40], origin->publisher);
  put(&out[44], std::uint32_t{0});
  put(&out[48], origin->sequence);
  put(&out[56], origin->intended_ns);
  return kBytesWithOrigin;
}

std::optional<Stamp> Stamp::decode(std::span<const std::byte> bytes) {
  if (bytes.size() != kBytes && bytes.size() != kBytesWithOrigin) {
    return std::nullopt;
  }
  Stamp stamp;
  stamp.run = take<std::uint64_t>(&bytes[0]);
  stamp.publisher = take<std::uint32_t>(&bytes[8]);
  stamp.hops = take<std::uint32_t>(&bytes[12]);
  stamp.sequence = take<std::uint64_t>(&bytes[kSequenceOffset]);
  stamp.intended_ns = take<Nanoseconds>(&bytes[kIntendedOffset]);
  stamp.sent_ns = take<Nanoseconds>(&bytes[kSentOffset]);
  if (bytes.size() == kBytesWithOrigin) {
    stamp.origin = Origin{.publisher = take<std::uint32_t>(&bytes[40]),
                          .sequence = take<std::uint64_t>(&bytes[48]),
                          .intended_ns = take<Nanoseconds>(&bytes[56])};
  }
  return stamp;
}

}  // namespace brokerlab
