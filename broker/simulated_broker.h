#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/broker_costs.h"
#include "broker/simulated_queue.h"
#include "broker/simulated_routing.h"
#include "broker/topology.h"
#include "broker/virtual_time.h"

namespace brokerlab {

// Who publishes to a simulated broker and consumes from it.
class SimulatedClient {
 public:
  virtual ~SimulatedClient() = default;
  // The broker has taken the message, or has had no queue for it: that is confirmed all the same. Without
  // confirms only the latter is told.
  virtual void on_confirm(std::uint64_t /*message*/, bool /*routed*/) {}
  virtual void on_delivery(std::uint64_t /*tag*/, const SimulatedMessage& /*message*/) {}
};

// A broker without a broker: classic queues, consumers in round robin, prefetch, confirms, requeues to the
// old position, time to live, length limits, dead letters, bindings that come and go, and crashes of
// consumers, in virtual time and without I/O. What one publisher or consumer sends arrives in the order in
// which it was sent, and so does what it is sent. One thread; outlives the events it has asked `time` for,
// and its clients outlive it.
class SimulatedBroker final : private VirtualTime::Target {
 public:
  using PublisherId = std::uint32_t;
  using ConsumerId = std::uint32_t;
  using Tag = std::uint64_t;

  // Throws Error (kUsage) naming what it cannot do: other exchange types and queue arguments, keys hashed
  // from headers, consistent hash that leads to or from another exchange, dead letters that come back.
  SimulatedBroker(const Topology& topology, const BrokerCosts& costs, VirtualTime& time,
                  std::uint64_t seed = 1);

  PublisherId add_publisher(SimulatedClient& client, bool confirms = true);
  std::uint32_t route(const std::string& exchange, const std::string& routing_key,
                      const Json& headers = Json::object()) {
    return routing_.route(exchange, routing_key, headers);
  }
  void publish(PublisherId publisher, const SimulatedMessage& message);

  // Automatic acknowledgement ignores the prefetch, and 0 is no limit.
  ConsumerId consume(const std::string& queue, std::uint32_t prefetch, bool auto_ack,
                     SimulatedClient& client);
  // Of a delivery that was not settled before; one of a consumer that crashed is void, as on a closed
  // channel.
  void ack(ConsumerId consumer, Tag tag, bool multiple = false);
  void requeue(ConsumerId consumer, Tag tag);
  // The message is dead-lettered, or gone.
  void reject(ConsumerId consumer, Tag tag);
  // No more deliveries; what is on its way arrives and can be settled.
  void cancel(ConsumerId consumer);
  // The consumer is gone at once: what it had not settled goes back to its old place, marked redelivered.
  // What was under way to it never arrives.
  void crash(ConsumerId consumer);

  // Stopped as by SIGSTOP: what reaches the broker waits, and nothing leaves it.
  void pause() { paused_ = true; }
  void resume();

  // At once: as an operator does it.
  void bind(const Binding& binding) { routing_.bind(binding); }
  void unbind(const Binding& binding) { routing_.unbind(binding); }

  std::size_t ready(const std::string& queue) const { return queues_[queue_numbers_.at(queue)].ready.size(); }
  std::size_t unacked(const std::string& queue) const { return queues_[queue_numbers_.at(queue)].unacked; }

 private:
  enum What : std::uint32_t { kArrive, kAccept, kConfirm, kDeliver, kSettle, kExpire, kSubscribe, kCrash };
  enum class How : std::uint8_t { kAck, kAckThrough, kRequeue, kReject };

  // One direction of one channel: what is sent later arrives no earlier.
  struct Lane {
    Nanoseconds last_ns = 0;
    Nanoseconds arrival(Nanoseconds at) { return last_ns = at > last_ns ? at : last_ns; }
  };
  struct Publisher {
    SimulatedClient* client;
    bool confirms;
    Lane to_broker, from_broker;
    std::deque<SimulatedMessage> arriving, accepting;
    std::deque<std::pair<std::uint64_t, bool>> confirming;
  };
  struct Settling {
    Tag tag;
    How how;
  };
  struct Consumer {
    SimulatedClient* client;
    std::uint32_t queue;
    std::uint32_t limit;  // 0: none
    bool auto_ack;
    Lane to_broker, from_broker;
    OpenDeliveries open;
    std::deque<std::pair<Tag, SimulatedMessage>> delivering;
    std::deque<Settling> settling;
    Tag automatic_tag = 0;
    bool alive = true;
    bool cancelled = false;
    bool waits_its_turn = true;  // stands in `willing`
    bool full() const { return limit != 0 && open.size() >= limit; }
  };

  void happen(VirtualTime::Happening happening) override;
  void declare(const brokerlab::Queue& queue);
  void refuse_dead_letter_circles();
  void arrive(PublisherId publisher);
  void accept(PublisherId publisher, const SimulatedMessage& message);
  void enqueue(SimulatedQueue& queue, const SimulatedMessage& message);
  void drop_expired(SimulatedQueue& queue);
  void bury(const SimulatedQueue& queue, SimulatedMessage message, DeathReason reason);
  void send_settlement(ConsumerId consumer, Tag tag, How how);
  void settle(ConsumerId consumer);
  void settled(Consumer& consumer, const QueuedMessage& item, How how);
  void take_turn_again(ConsumerId consumer);
  void hand_over(ConsumerId consumer);
  void take_back(ConsumerId consumer);
  void deliver(SimulatedQueue& queue);

  SimulatedRouting routing_;
  VirtualTime& time_;
  StepClock publish_, confirm_, deliver_, ack_;
  const Nanoseconds route_ns_;
  const double per_byte_ns_;
  std::deque<SimulatedQueue> queues_;  // as numbered by the topology
  std::unordered_map<std::string, std::uint32_t> queue_numbers_;
  std::deque<Publisher> publishers_;  // stay where they are while they grow
  std::deque<Consumer> consumers_;
  std::deque<VirtualTime::Happening> held_;
  Nanoseconds free_at_ns_ = 0;
  bool paused_ = false;
};

}  // namespace brokerlab
