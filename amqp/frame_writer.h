#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "amqp/connection.h"
#include "amqp/frame.h"
#include "amqp/output_buffer.h"

namespace brokerlab::amqp {

// Writes frames into a connection's output buffer and counts them. No I/O.
class FrameWriter {
 public:
  explicit FrameWriter(ConnectionCounters& counters) : counters_(counters) {}

  OutputBuffer& output() { return output_; }
  const OutputBuffer& output() const { return output_; }
  std::uint32_t frame_max() const { return frame_max_; }
  void set_frame_max(std::uint32_t bytes) { frame_max_ = bytes; }

  void protocol_header();
  void heartbeat();
  // A method by librabbitmq's struct. Throws Error (kUsage) when it does not fit into a frame.
  void method(std::uint16_t channel, std::uint32_t id, void* fields);
  // basic.ack, basic.nack, basic.reject.
  void settle(std::uint16_t channel, std::uint32_t id, std::uint64_t delivery_tag, std::uint8_t bits);

  void publish(std::uint16_t channel, PublishTemplate& message, const PublishStamp& stamp,
               std::span<const std::byte> body) {
    const std::size_t bytes = message.wire_bytes(body.size(), frame_max_);
    message.write(output_.reserve(bytes), channel, stamp, body, frame_max_);
    output_.commit(bytes);
    ++counters_.messages_out;
    counters_.frames_out +=
        2 + static_cast<std::int64_t>(PublishTemplate::body_frames(body.size(), frame_max_));
  }

 private:
  ConnectionCounters& counters_;
  OutputBuffer output_;
  std::uint32_t frame_max_ = kFrameMaxLowest;
};

}  // namespace brokerlab::amqp
