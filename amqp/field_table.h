#pragma once

#include <amqp.h>

#include <cstddef>
#include <span>

#include "core/json.h"

namespace brokerlab::amqp {

// AMQP field tables as JSON objects, and back.
//   null V, bool t, integer l (64 bit), unsigned beyond 2^63-1 refused, floating point d, string S, array A,
//   object F, binary x (Json::binary). Every integer and float type of RabbitMQ's grammar is read; a
//   timestamp reads as an integer, a decimal as a double, text that is no UTF-8 as binary.
class FieldTable {
 public:
  static constexpr int kDeepest = 32;                            // nested tables and arrays
  static constexpr std::size_t kLargest = std::size_t{1} << 20;  // bytes of one table

  // Memory belongs to `pool`. Throws Error (kUsage) for what cannot travel (key over 255 bytes, too deep, too
  // large).
  static amqp_table_t to_wire(const Json& object, amqp_pool_t* pool);
  static Json to_json(const amqp_table_t& table);

  // Bytes the table at the start of `wire` takes, its own length word included. Walks everything without
  // trusting any length in it; throws Error when it breaks the format or a limit. librabbitmq's decoder
  // recurses without a bound: nothing reaches it that has not passed here.
  static std::size_t check(std::span<const std::byte> wire);
};

}  // namespace brokerlab::amqp
