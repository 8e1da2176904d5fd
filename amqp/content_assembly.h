#pragma once

#include <cstdint>
#include <span>

#include "amqp/amqp_error.h"
#include "amqp/byte_buffer.h"
#include "amqp/delivery_parser.h"

namespace brokerlab::amqp {

// Puts together a message whose frames did not lie contiguously in the receive buffer: body over several
// frames, or cut by the end of a read. One per channel, as frames of different channels may interleave. Never
// takes more memory than arrived, whatever the header announces.
class ContentAssembly {
 public:
  static constexpr std::uint64_t kLargestBody = std::uint64_t{512} << 20;  // RabbitMQ's own upper limit

  bool active() const { return method_ != 0; }
  // `payload` of a method frame that announces content: deliver, get-ok or return.
  void begin(std::uint32_t method, std::span<const std::byte> payload);
  Outcome add_header(std::span<const std::byte> payload);
  Outcome add_body(std::span<const std::byte> payload);
  bool complete() const { return active() && has_header_ && body_.size() == body_bytes_; }

  std::uint32_t method() const { return method_; }
  std::span<const std::byte> arguments() const { return method_payload_.bytes().subspan(4); }
  std::span<const std::byte> header_payload() const { return header_payload_.bytes(); }
  std::span<const std::byte> body() const { return body_.bytes(); }
  void clear();

 private:
  std::uint32_t method_ = 0;
  bool has_header_ = false;
  std::uint64_t body_bytes_ = 0;
  ByteBuffer method_payload_, header_payload_, body_;
};

}  // namespace brokerlab::amqp
