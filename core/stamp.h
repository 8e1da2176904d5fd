#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/clock.h"

namespace brokerlab {

// The identity and the times every message of ours carries, as one AMQP header of type byte array ('x'), big
// endian. One fixed-size header keeps the publish frame a template with a few words to patch, and its parse a
// memory read. Offsets: run 0 (u64), publisher 8 (u32), hops 12 (u32), sequence 16 (u64), intended 24 (i64),
// sent 32 (i64); and only in messages that a role published because of another message: origin publisher 40
// (u32), reserved 44 (u32), origin sequence 48 (u64), origin intended 56 (i64). Where the body is to be
// verified, its checksum (u32) is the last of all: the size tells what is there.
struct Stamp {
  static constexpr char kHeaderName[] = "brokerlab-stamp";
  static constexpr std::size_t kBytes = 40;
  static constexpr std::size_t kBytesWithOrigin = 64;
  static constexpr std::size_t kChecksumBytes = 4;
  static constexpr std::size_t kMostBytes = kBytesWithOrigin + kChecksumBytes;
  static constexpr std::size_t kSequenceOffset = 16;
  static constexpr std::size_t kIntendedOffset = 24;
  static constexpr std::size_t kSentOffset = 32;

  struct Origin {
    std::uint32_t publisher = 0;
    std::uint64_t sequence = 0;
    Nanoseconds intended_ns = 0;
  };

  std::uint64_t run = 0;
  std::uint32_t publisher = 0;  // unique within the run
  std::uint32_t hops = 0;       // how many roles the message has passed through
  std::uint64_t sequence = 0;   // from 0 per publisher
  Nanoseconds intended_ns = 0;
  Nanoseconds sent_ns = 0;
  std::optional<Origin> origin;
  bool verified = false;  // the checksum of the body travels along

  // Returns how many bytes it wrote.
  std::size_t encode(std::span<std::byte, kMostBytes> out) const;
  // Nothing when `bytes` has none of the four sizes.
  static std::optional<Stamp> decode(std::span<const std::byte> bytes);
  // Of the bytes of a verified stamp: body_checksum() of what was sent. encode() leaves it 0.
  static std::uint32_t checksum_in(std::span<const std::byte> bytes);
};

// CRC-32 as in zlib, gzip and PNG: finds every change of up to 32 bits in a row, and others but for one in
// 2^32.
std::uint32_t body_checksum(std::span<const std::byte> body);

}  // namespace brokerlab
