#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "amqp/frame.h"
#include "core/clock.h"
#include "core/stamp.h"

namespace brokerlab::amqp {

struct Properties;

// What every message of one publisher has in common.
struct PublishOptions {
  std::string exchange;
  std::string routing_key;
  bool mandatory = true;
};

// The part of the stamp that differs from message to message.
struct PublishStamp {
  std::uint64_t sequence = 0;
  Nanoseconds intended_ns = 0;
  Nanoseconds sent_ns = 0;  // now, or the time of this turn of the loop
};

// The frames of basic.publish, its header and the head of its body frame, built once; a publish is a copy of
// them with a few words patched. Independent of connection and channel; one thread. Not copied lightly, but
// copyable.
class PublishTemplate {
 public:
  // `stamp` gives run, publisher, hops and whether an origin and a checksum of the body travel; without it
  // the message carries none. Throws Error (kUsage) when the properties cannot travel, or they hold a header
  // of the stamp's name.
  PublishTemplate(const PublishOptions& options, const Properties& properties,
                  const std::optional<Stamp>& stamp);

  // A copy of up to 255 bytes; nothing to do when it is the present one. Longer: throws Error.
  void set_routing_key(std::string_view key);
  std::string_view routing_key() const;

  // For a role that publishes because of another message. set_origin only when the stamp was given with an
  // origin.
  void set_hops(std::uint32_t hops);
  void set_origin(const Stamp::Origin& origin);

  bool stamped() const { return stamp_offset_ != 0; }

  // For Channel and tests: how many bytes a publish of `body_bytes` takes in frames of at most `frame_max`,
  // and the writing of them at `out`. `channel` and sizes are patched.
  std::size_t wire_bytes(std::size_t body_bytes, std::uint32_t frame_max) const {
    return head_.size() + body_bytes + body_frames(body_bytes, frame_max) * kFrameOverhead;
  }
  static std::size_t body_frames(std::size_t body_bytes, std::uint32_t frame_max) {
    const std::size_t room = frame_max - kFrameOverhead;
    return body_bytes <= room ? (body_bytes != 0) : (body_bytes + room - 1) / room;
  }
  void write(std::byte* out, std::uint16_t channel, const PublishStamp& stamp,
             std::span<const std::byte> body, std::uint32_t frame_max);

 private:
  void build_method_frame(const PublishOptions& options);
  void build_header_frame(const Properties& properties, const std::optional<Stamp>& stamp);
  void bind_channel(std::uint16_t channel);
  void bind_body(std::span<const std::byte> body);

  std::vector<std::byte> head_;    // method frame and header frame
  std::size_t key_offset_ = 0;     // of the routing key's length octet
  std::size_t header_offset_ = 0;  // of the header frame
  std::size_t stamp_offset_ = 0;   // of the stamp's value; 0 = none
  std::size_t checksum_at_ = 0;    // within the stamp; 0 = none
  bool with_origin_ = false;
  std::uint16_t channel_ = 0;
  std::size_t body_bytes_ = 0;
};

}  // namespace brokerlab::amqp
