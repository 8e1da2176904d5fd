#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "broker/consistent_hash.h"
#include "broker/topology.h"
#include "broker/virtual_time.h"

namespace brokerlab {

// What each step of a message costs; nothing by default.
struct BrokerCosts {
  Nanoseconds publish_ns = 0;  // from the publisher to the broker
  Nanoseconds confirm_ns = 0;  // from the broker's decision back to the publisher
  Nanoseconds deliver_ns = 0;  // from the queue to the consumer
  Nanoseconds ack_ns = 0;      // from the consumer to the broker
  Nanoseconds serial_ns = 0;   // the broker does one publish at a time, each takes so long: its capacity
  double per_byte_ns = 0;      // of the body, on top of serial_ns
};

struct SimulatedMessage {
  std::uint64_t id = 0;
  std::uint32_t bytes = 0;
  bool redelivered = false;
};

// A broker without a broker: classic queues, consumers in round robin, prefetch, confirms, requeues to the
// old position and crashes of consumers, in virtual time and without I/O. Routing is that of
// broker/routing.h, and of ConsistentHash where that leaves a choice. One thread; outlives the events it has
// asked `time` for.
class SimulatedBroker {
 public:
  using ConsumerId = std::size_t;
  using Tag = std::uint64_t;
  // When the publisher learns of it. An unroutable message is confirmed all the same.
  using OnConfirm = std::function<void(bool routed)>;
  using OnDelivery = std::function<void(Tag tag, const SimulatedMessage& message)>;

  // Throws Error (kUsage) naming what it cannot do: other exchange types, queue arguments, bindings that come
  // and go, keys hashed from headers, consistent hash that leads to or from another exchange.
  SimulatedBroker(const Topology& topology, const BrokerCosts& costs, VirtualTime& time);

  void publish(const std::string& exchange, const std::string& routing_key, const SimulatedMessage& message,
               OnConfirm on_confirm);
  // Automatic acknowledgement ignores the prefetch, and 0 is no limit.
  ConsumerId consume(const std::string& queue, std::uint32_t prefetch, bool auto_ack, OnDelivery on_delivery);

  // Of a delivery that was not settled before; one of a consumer that crashed is void, as on a closed
  // channel.
  void ack(ConsumerId consumer, Tag tag);
  void requeue(ConsumerId consumer, Tag tag);
  // The consumer is gone at once: what it had not settled goes back to its old place, marked redelivered.
  // What was under way to it never arrives.
  void crash(ConsumerId consumer);

  // Stopped as by SIGSTOP: what reaches the broker waits, and nothing leaves it.
  void pause();
  void resume();

  std::size_t ready(const std::string& queue) const;
  std::size_t unacked(const std::string& queue) const;

 private:
  struct Item {
    std::uint64_t position;
    SimulatedMessage message;
  };
  struct Queue {
    std::deque<Item> ready;          // by position
    std::deque<ConsumerId> willing;  // whose turn it is, first
    std::uint64_t next_position = 0;
    std::size_t unacked = 0;
  };
  struct Consumer {
    Queue* queue;
    std::uint32_t limit;  // 0: none
    bool auto_ack;
    OnDelivery on_delivery;
    std::map<Tag, Item> unacked;
    Tag next_tag = 1;
    bool alive = true;
    bool waits_its_turn = true;  // stands in `willing`
  };

  void refuse_unknown(const Topology& topology) const;
  const std::vector<Queue*>& queues_for(const std::string& exchange, const std::string& routing_key);
  // Does it as soon as the broker is not paused.
  void arrive(std::function<void()> act);
  void accept(const std::vector<Queue*>& queues, const SimulatedMessage& message,
              const OnConfirm& on_confirm);
  void settle(ConsumerId consumer, Tag tag, bool back);
  void put_back(Queue& queue, Item item);
  void deliver(Queue& queue);
  static bool full(const Consumer& consumer);

  const Topology topology_;
  const BrokerCosts costs_;
  VirtualTime& time_;
  std::map<std::string, Queue> queues_;
  std::map<std::string, ConsistentHash> hashes_;  // by exchange
  std::map<std::pair<std::string, std::string>, std::vector<Queue*>> routes_;
  std::deque<Consumer> consumers_;  // stays where it is while it grows
  std::deque<std::function<void()>> held_;
  Nanoseconds free_at_ns_ = 0;
  bool paused_ = false;
};

}  // namespace brokerlab
