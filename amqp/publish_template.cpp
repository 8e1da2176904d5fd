#include "amqp/publish_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "amqp/method_codec.h"
#include "amqp/properties.h"
#include "core/error.h"

namespace brokerlab::amqp {
namespace {

constexpr std::size_t kMethodIdBytes = 4;
constexpr std::size_t kTicketBytes = 2;
// Within the header frame: class id and weight stand before the body size.
constexpr std::size_t kBodySizeOffset = kFrameHeaderBytes + 4;
constexpr std::size_t kPropertiesOffset = kBodySizeOffset + 8;
constexpr std::byte kMandatoryBit{1};
// Of the stamp's layout in core/stamp.h.
constexpr std::size_t kHopsOffset = 12;
constexpr std::size_t kOriginPublisherOffset = 40;
constexpr std::size_t kOriginSequenceOffset = 48;
constexpr std::size_t kOriginIntendedOffset = 56;

// Where the value of the stamp begins in an encoded property list. It was put there by the caller, so it is
// found by its name and length; the first entry of the table, as headers keep their order.
std::size_t find_stamp(std::span<const std::byte> properties, std::size_t stamp_bytes) {
  const std::string_view text(reinterpret_cast<const char*>(properties.data()), properties.size());
  const auto name = text.find(Stamp::kHeaderName);
  if (name == std::string_view::npos) return 0;
  const std::size_t value = name + std::strlen(Stamp::kHeaderName) + 1 + 4;  // type octet and length
  return value + stamp_bytes <= properties.size() ? value : 0;
}

Properties with_stamp(const Properties& properties, std::span<const std::byte> stamp) {
  if (properties.headers.contains(Stamp::kHeaderName)) {
    throw Error(fmt::format("the header {} is brokerlab's own", Stamp::kHeaderName), "headers of a publish",
                "rename it", ExitStatus::kUsage);
  }
  Properties out = properties;
  out.headers = Json::object();
  const auto* begin = reinterpret_cast<const std::uint8_t*>(stamp.data());
  out.headers[Stamp::kHeaderName] = Json::binary({begin, begin + stamp.size()});
  for (const auto& [key, value] : properties.headers.items()) out.headers[key] = value;
  return out;
}

}  // namespace

PublishTemplate::PublishTemplate(const PublishOptions& options, const Properties& properties,
                                 const std::optional<Stamp>& stamp)
    : with_origin_(stamp && stamp->origin) {
  build_method_frame(options);
  build_header_frame(properties, stamp);
}

void PublishTemplate::build_method_frame(const PublishOptions& options) {
  short_text(options.exchange, "exchange name");
  short_text(options.routing_key, "routing key");
  const std::size_t payload =
      kMethodIdBytes + kTicketBytes + 1 + options.exchange.size() + 1 + options.routing_key.size() + 1;
  head_.resize(kFrameOverhead + payload);
  std::byte* at = head_.data();
  FrameHeader{static_cast<std::uint8_t>(FrameType::kMethod), 0, static_cast<std::uint32_t>(payload)}.store(
      at);
  at += kFrameHeaderBytes;
  store_big_endian<std::uint32_t>(at, AMQP_BASIC_PUBLISH_METHOD);
  store_big_endian<std::uint16_t>(at + kMethodIdBytes, 0);
  at += kMethodIdBytes + kTicketBytes;
  *at++ = static_cast<std::byte>(options.exchange.size());
  std::memcpy(at, options.exchange.data(), options.exchange.size());
  at += options.exchange.size();
  key_offset_ = static_cast<std::size_t>(at - head_.data());
  *at++ = static_cast<std::byte>(options.routing_key.size());
  std::memcpy(at, options.routing_key.data(), options.routing_key.size());
  at += options.routing_key.size();
  *at++ = options.mandatory ? kMandatoryBit : std::byte{0};
  *at = kFrameEnd;
  header_offset_ = head_.size();
}

void PublishTemplate::build_header_frame(const Properties& properties, const std::optional<Stamp>& stamp) {
  std::vector<std::byte> encoded;
  if (stamp) {
    std::array<std::byte, Stamp::kMostBytes> value{};
    const std::size_t bytes = stamp->encode(value);
    encoded = with_stamp(properties, std::span(value).first(bytes)).encode();
    const std::size_t at = find_stamp(encoded, bytes);
    if (at == 0) throw Error("the stamp is not where it was written", "", "");
    stamp_offset_ = header_offset_ + kPropertiesOffset + at;
    if (stamp->verified) checksum_at_ = bytes - Stamp::kChecksumBytes;
  } else {
    encoded = properties.encode();
  }
  head_.resize(header_offset_ + kPropertiesOffset + encoded.size() + 1);
  std::byte* at = head_.data() + header_offset_;
  const std::size_t payload = kPropertiesOffset - kFrameHeaderBytes + encoded.size();
  FrameHeader{static_cast<std::uint8_t>(FrameType::kHeader), 0, static_cast<std::uint32_t>(payload)}.store(
      at);
  store_big_endian<std::uint16_t>(at + kFrameHeaderBytes, AMQP_BASIC_CLASS);
  store_big_endian<std::uint16_t>(at + kFrameHeaderBytes + 2, 0);
  store_big_endian<std::uint64_t>(at + kBodySizeOffset, 0);
  std::memcpy(at + kPropertiesOffset, encoded.data(), encoded.size());
  head_.back() = kFrameEnd;
  if (payload + kFrameOverhead > kFrameMaxDefault) {
    throw Error("message headers larger than a frame", "headers of a publish", "make them smaller",
                ExitStatus::kUsage);
  }
}

std::string_view PublishTemplate::routing_key() const {
  return {reinterpret_cast<const char*>(head_.data()) + key_offset_ + 1,
          static_cast<std::size_t>(head_[key_offset_])};
}

void PublishTemplate::set_routing_key(std::string_view key) {
  const auto present = routing_key();
  if (key == present) return;
  if (key.size() != present.size()) {
    short_text(key, "routing key");
    const std::ptrdiff_t growth =
        static_cast<std::ptrdiff_t>(key.size()) - static_cast<std::ptrdiff_t>(present.size());
    const std::size_t tail = key_offset_ + 1 + present.size();  // mandatory octet, frame end, header frame
    const std::size_t tail_bytes = head_.size() - tail;
    if (growth > 0) head_.resize(head_.size() + static_cast<std::size_t>(growth));
    std::memmove(head_.data() + key_offset_ + 1 + key.size(), head_.data() + tail, tail_bytes);
    head_.resize(key_offset_ + 1 + key.size() + tail_bytes);
    head_[key_offset_] = static_cast<std::byte>(key.size());
    header_offset_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(header_offset_) + growth);
    if (stamp_offset_ != 0)
      stamp_offset_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(stamp_offset_) + growth);
    store_big_endian(head_.data() + 3, static_cast<std::uint32_t>(header_offset_ - kFrameOverhead));
  }
  std::memcpy(head_.data() + key_offset_ + 1, key.data(), key.size());
}

void PublishTemplate::set_hops(std::uint32_t hops) {
  if (stamped()) store_big_endian(head_.data() + stamp_offset_ + kHopsOffset, hops);
}

void PublishTemplate::set_origin(const Stamp::Origin& origin) {
  if (!with_origin_) throw Error("this template's stamp has no room for an origin", "", "");
  std::byte* at = head_.data() + stamp_offset_;
  store_big_endian(at + kOriginPublisherOffset, origin.publisher);
  store_big_endian(at + kOriginSequenceOffset, origin.sequence);
  store_big_endian(at + kOriginIntendedOffset, static_cast<std::uint64_t>(origin.intended_ns));
}

void PublishTemplate::bind_channel(std::uint16_t channel) {
  channel_ = channel;
  store_big_endian(head_.data() + 1, channel);
  store_big_endian(head_.data() + header_offset_ + 1, channel);
}

// A verified template is never bound to a size for longer than one body: each has a checksum of its own, and
// the others pay nothing for it.
void PublishTemplate::bind_body(std::span<const std::byte> body) {
  store_big_endian(head_.data() + header_offset_ + kBodySizeOffset, static_cast<std::uint64_t>(body.size()));
  body_bytes_ = body.size();
  if (checksum_at_ == 0) return;
  store_big_endian(head_.data() + stamp_offset_ + checksum_at_, body_checksum(body));
  body_bytes_ = SIZE_MAX;
}

void PublishTemplate::write(std::byte* out, std::uint16_t channel, const PublishStamp& stamp,
                            std::span<const std::byte> body, std::uint32_t frame_max) {
  if (channel != channel_) bind_channel(channel);
  if (body.size() != body_bytes_) bind_body(body);
  std::memcpy(out, head_.data(), head_.size());
  if (stamp_offset_ != 0) {
    // Patched in the copy: words stored just before a block copy of them would stall it.
    store_big_endian(out + stamp_offset_ + Stamp::kSequenceOffset, stamp.sequence);
    store_big_endian(out + stamp_offset_ + Stamp::kIntendedOffset,
                     static_cast<std::uint64_t>(stamp.intended_ns));
    store_big_endian(out + stamp_offset_ + Stamp::kSentOffset, static_cast<std::uint64_t>(stamp.sent_ns));
  }
  out += head_.size();
  const std::size_t room = frame_max - kFrameOverhead;
  while (!body.empty()) {
    const auto part = body.first(std::min(room, body.size()));
    FrameHeader{static_cast<std::uint8_t>(FrameType::kBody), channel, static_cast<std::uint32_t>(part.size())}
        .store(out);
    std::memcpy(out + kFrameHeaderBytes, part.data(), part.size());
    out[kFrameHeaderBytes + part.size()] = kFrameEnd;
    out += part.size() + kFrameOverhead;
    body = body.subspan(part.size());
  }
}

}  // namespace brokerlab::amqp
