#pragma once

#include <cstddef>

#include "amqp/byte_buffer.h"
#include "amqp/transport.h"

namespace brokerlab::amqp {

// Bytes on their way out: one buffer is filled while the other may be held by the transport. A slow peer
// therefore costs two buffers, whatever it does; who fills them asks pending_bytes() and waits.
class OutputBuffer {
 public:
  std::byte* reserve(std::size_t bytes) { return filling_.reserve(bytes); }
  void commit(std::size_t bytes) { filling_.commit(bytes); }
  void append(std::span<const std::byte> bytes) { filling_.append(bytes); }

  std::size_t pending_bytes() const { return filling_.size() + flying_.size(); }
  std::size_t filling_bytes() const { return filling_.size(); }
  bool in_flight() const { return !flying_.empty(); }

  // Returns how many bytes were handed over: 0 when there are none, or the former ones are still in flight.
  std::size_t flush(Transport& transport) {
    if (in_flight() || filling_.empty()) return 0;
    const std::size_t bytes = filling_.size();
    if (transport.write(filling_.bytes())) {
      filling_.clear_keeping(kKeepBytes);
    } else {
      filling_.swap(flying_);
    }
    return bytes;
  }
  void on_written() { flying_.clear_keeping(kKeepBytes); }
  void reset() {
    filling_.clear_keeping(kKeepBytes);
    flying_.clear_keeping(kKeepBytes);
  }

 private:
  static constexpr std::size_t kKeepBytes = std::size_t{1} << 20;

  ByteBuffer filling_;
  ByteBuffer flying_;
};

}  // namespace brokerlab::amqp
