#pragma once

#include <amqp.h>
#include <amqp_framing.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace brokerlab::amqp {

// The methods of AMQP as librabbitmq's structs, by its exported codec. The cold path: deliveries, publishes
// and acks have their own (delivery_parser.h, publish_template.h, frame_writer.h).

// "queue.declare" of a method id; "" of an unknown one.
std::string method_name(std::uint32_t id);

inline amqp_bytes_t to_wire_bytes(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};  // librabbitmq knows no const; it does not write
}
inline std::string_view to_view(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

// A name as it travels in a method. Throws Error (kUsage) beyond 255 bytes: the codec would cut the length
// silently.
amqp_bytes_t short_text(std::string_view text, std::string_view what);

// A pool of librabbitmq that frees itself.
class Pool {
 public:
  Pool() { init_amqp_pool(&pool_, 4096); }
  ~Pool() { empty_amqp_pool(&pool_); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  amqp_pool_t* get() { return &pool_; }
  void recycle() { recycle_amqp_pool(&pool_); }

 private:
  amqp_pool_t pool_;
};

struct Method {
  std::uint32_t id = 0;
  void* fields = nullptr;

  template <typename Fields>
  const Fields& as() const {
    return *static_cast<const Fields*>(fields);
  }
};

// Decodes the methods a broker may send, and no others.
class MethodDecoder {
 public:
  // Nothing when the payload is malformed or no method of a broker. Valid until the next call.
  std::optional<Method> decode(std::span<const std::byte> payload);

 private:
  Pool pool_;
};

// Encodes `fields` after `room.data()`, method id included. Returns the bytes taken; 0 when the room is too
// small.
std::size_t encode_method(std::uint32_t id, void* fields, std::span<std::byte> room);

}  // namespace brokerlab::amqp
