#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brokerlab {

// Which queue an exchange of type x-consistent-hash gives a routing key to, exactly as RabbitMQ 3.10 with
// Erlang 25 decides it: the key's erlang:phash2 seeds Erlang's exs1024s generator, which draws a jump hash
// over numbered buckets; a binding of weight w owns w neighbouring buckets, in the order of binding. Pure; a
// plain value.
class ConsistentHash {
 public:
  // Appends `weight` buckets, at least one. A destination that has some already keeps those, whatever the
  // weight.
  void bind(const std::string& destination, std::uint32_t weight);
  // Takes the destination's buckets away; those behind them move up, and with them most keys. Unknown
  // destinations are no error.
  void unbind(const std::string& destination);

  bool empty() const { return buckets_.empty(); }
  // Valid until the next bind or unbind. At least one destination must be bound.
  const std::string& destination_of(std::string_view routing_key) const;

 private:
  std::vector<std::string> buckets_;
};

// erlang:phash2(Key) of a binary: 27 bits.
std::uint32_t erlang_phash2(std::string_view binary);

}  // namespace brokerlab
