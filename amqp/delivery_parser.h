#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "amqp/frame.h"

namespace brokerlab::amqp {

// In-place parsing of what a broker sends per message. No copies, no allocation; every view points into the
// input. Each parser returns nothing when the payload is malformed.

inline constexpr std::uint32_t kBasicReturn = 0x003C0032;
inline constexpr std::uint32_t kBasicDeliver = 0x003C003C;
inline constexpr std::uint32_t kBasicGetOk = 0x003C0047;
inline constexpr std::uint32_t kBasicAck = 0x003C0050;
inline constexpr std::uint32_t kBasicReject = 0x003C005A;
inline constexpr std::uint32_t kBasicNack = 0x003C0078;

// The arguments of basic.deliver and basic.get-ok; `remaining` of the latter only.
struct DeliverFields {
  std::string_view consumer_tag, exchange, routing_key;
  std::uint64_t delivery_tag = 0;
  std::uint32_t remaining = 0;
  bool redelivered = false;
};

struct ReturnFields {
  std::uint16_t reply_code = 0;
  std::string_view reply_text, exchange, routing_key;
};

// basic.ack and basic.nack of a broker, i.e. confirms.
struct ConfirmFields {
  std::uint64_t delivery_tag = 0;
  bool multiple = false;
};

struct ContentHeader {
  std::uint64_t body_bytes = 0;
  std::span<const std::byte> raw_properties;
  std::span<const std::byte>
      stamp_bytes;  // value of the stamp header; empty: none, or properties out of order
};

// `arguments` is the payload of the method frame after the method id.
std::optional<DeliverFields> parse_deliver(std::span<const std::byte> arguments);
std::optional<DeliverFields> parse_get_ok(std::span<const std::byte> arguments);
std::optional<ReturnFields> parse_return(std::span<const std::byte> arguments);
std::optional<ConfirmFields> parse_confirm(std::span<const std::byte> arguments);
// `payload` is that of the header frame. Only what is needed to find the stamp is looked at.
std::optional<ContentHeader> parse_content_header(std::span<const std::byte> payload);

// A whole message that lies contiguously at the start of a receive buffer: deliver, header and at most one
// body frame, all of one channel.
struct WholeDelivery {
  DeliverFields fields;
  ContentHeader header;
  std::span<const std::byte> body;
  std::uint16_t channel = 0;
  std::uint32_t frames = 0;
  std::size_t bytes = 0;  // taken from the buffer
};
// Nothing when it is not all there, is no delivery, or is malformed, or when a frame of it is longer than
// `frame_max`: then the frames go the slow way, one by one.
std::optional<WholeDelivery> parse_whole_delivery(std::span<const std::byte> buffer,
                                                  std::uint32_t frame_max = kFrameMaxHighest);

}  // namespace brokerlab::amqp
