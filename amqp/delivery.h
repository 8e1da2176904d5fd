#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "amqp/amqp_error.h"
#include "core/clock.h"
#include "core/stamp.h"

namespace brokerlab::amqp {

struct Properties;

// The content shared by basic.deliver, basic.get-ok and basic.return. All views point into a receive buffer
// and are valid only during the callback.
struct Content {
  std::string_view exchange;
  std::string_view routing_key;
  std::span<const std::byte> raw_properties;  // flags and property list
  std::span<const std::byte> stamp_bytes;     // value of the stamp header; empty when there is none
  std::span<const std::byte> body;
  Nanoseconds received_ns = 0;  // when the read that completed it returned

  // Nothing for a message of somebody else.
  std::optional<Stamp> stamp() const {
    return stamp_bytes.empty() ? std::nullopt : Stamp::decode(stamp_bytes);
  }
  // The whole property list, decoded on request (slow). Throws Error when it is malformed.
  Properties properties() const;
  std::string_view body_text() const { return {reinterpret_cast<const char*>(body.data()), body.size()}; }
};

struct Delivery : Content {
  // Counts on over reconnects: never equal for two deliveries of one Channel. For Channel::ack and its like,
  // which ignore a tag of a lost connection.
  std::uint64_t tag = 0;
  bool redelivered = false;
  std::string_view consumer_tag;  // "" for basic.get
};

struct Returned : Content {
  std::uint16_t reply_code = 0;  // 312 NO_ROUTE, 313 NO_CONSUMERS
  std::string_view reply_text;
};

// Receives the deliveries of one consumer. Called on the loop's thread, from within a read; it may ack,
// publish, cancel, and ask for the channel's or connection's close, but not destroy them.
class DeliveryHandler {
 public:
  virtual ~DeliveryHandler() = default;
  virtual void on_delivery(const Delivery& delivery) = 0;
  // The broker cancelled the consumer (queue deleted, its node lost), or it could not be restored after a
  // reconnect.
  virtual void on_cancelled(const AmqpError& reason) = 0;
};

}  // namespace brokerlab::amqp
