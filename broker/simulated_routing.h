#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/consistent_hash.h"
#include "broker/topology.h"
#include "core/json.h"
#include "core/random.h"

namespace brokerlab {

// Which queues of a topology a message goes to, each way worked out once: broker/routing.h, and
// ConsistentHash or chance where that leaves a choice. Queues are numbered as in the topology. One thread.
class SimulatedRouting {
 public:
  // Throws Error (kUsage) naming what it cannot do.
  SimulatedRouting(const Topology& topology, std::uint64_t seed);

  // A number for where the exchange sends the key.
  std::uint32_t route(const std::string& exchange, const std::string& routing_key, const Json& headers);
  // Valid until the next call.
  const std::vector<std::uint32_t>& queues(std::uint32_t route);
  const std::string& key_of(std::uint32_t route) const { return ways_[route].routing_key; }
  const Json& headers_of(std::uint32_t route) const { return ways_[route].headers; }

  // A queue comes to an exchange or leaves it.
  void bind(const Binding& binding);
  void unbind(const Binding& binding);

 private:
  struct Way {
    std::string exchange, routing_key;
    Json headers;
    std::vector<std::uint32_t> queues;               // every one of them
    std::vector<std::vector<std::uint32_t>> one_of;  // and of each set one, drawn
    std::uint64_t as_of = 0;                         // the state of the bindings it was worked out for
  };

  void refuse_unknown() const;
  void refuse_unknown(const Exchange& exchange) const;
  bool hashes(const std::string& exchange) const;
  void work_out(Way& way);
  std::uint32_t number_of(const std::string& queue) const { return queue_numbers_.at(queue); }

  Topology topology_;
  std::map<std::string, ConsistentHash> hashes_;  // by exchange
  std::unordered_map<std::string, std::uint32_t> queue_numbers_;
  std::unordered_map<std::string, std::uint32_t> numbers_;  // of ways
  std::deque<Way> ways_;
  std::vector<std::uint32_t> drawn_;
  std::uint64_t bindings_state_ = 1;
  Random random_;
};

}  // namespace brokerlab
