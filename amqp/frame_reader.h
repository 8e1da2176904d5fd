#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "amqp/amqp_error.h"
#include "amqp/delivery_parser.h"
#include "amqp/frame.h"

namespace brokerlab::amqp {

// The receive buffer of a connection, and its cutting into frames. Frames are handed on in place; what is
// left of an incomplete one moves to the front. No I/O.
class FrameReader {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    // False ends the reading of this buffer (the connection is lost).
    virtual bool on_whole_delivery(const WholeDelivery& delivery) = 0;
    virtual bool on_frame(const FrameHeader& header, std::span<const std::byte> payload) = 0;
  };

  // `buffer_bytes` at least a largest frame.
  FrameReader(Sink& sink, std::size_t buffer_bytes);

  std::span<std::byte> space();
  // Hands on every complete frame after `bytes` more arrived. An error when the peer broke the framing.
  Outcome take(std::size_t bytes);
  // Frames may be at most so long, overhead included. Set when negotiated.
  void set_frame_max(std::uint32_t bytes) { frame_max_ = bytes; }
  void reset();

 private:
  Outcome check(const FrameHeader& header) const;
  AmqpError foreign() const;

  Sink& sink_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint32_t frame_max_ = kFrameMaxDefault;
  bool first_ = true;  // nothing was understood yet: the peer may not speak AMQP at all
};

}  // namespace brokerlab::amqp
