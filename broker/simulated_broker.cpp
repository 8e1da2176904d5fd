#include "broker/simulated_broker.h"

#include <algorithm>
#include <utility>

#include "broker/routing.h"
#include "core/error.h"

namespace brokerlab {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Error("the simulated broker does not know " + what, where, "use a real broker for this experiment",
              ExitStatus::kUsage);
}

bool hashes(const Topology& topology, const std::string& exchange) {
  const Exchange* declared = topology.exchange(exchange);
  return declared != nullptr && declared->type == "x-consistent-hash";
}

std::uint32_t weight_of(const Binding& binding) {
  const std::string& key = binding.routing_key;
  const bool digits = !key.empty() && key.size() <= 6 &&
                      std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto weight = digits ? static_cast<std::uint32_t>(std::stoul(key)) : 0;
  if (weight == 0) refuse("the weight \"" + key + "\"", "exchange " + binding.exchange);
  return weight;
}

}  // namespace

SimulatedBroker::SimulatedBroker(const Topology& topology, const BrokerCosts& costs, VirtualTime& time)
    : topology_(topology), costs_(costs), time_(time) {
  refuse_unknown(topology_);
  for (const brokerlab::Queue& queue : topology_.queues) queues_[queue.name];
  for (const Binding& binding : topology_.bindings) {
    if (hashes(topology_, binding.exchange)) {
      hashes_[binding.exchange].bind(binding.destination, weight_of(binding));
    }
  }
}

void SimulatedBroker::refuse_unknown(const Topology& topology) const {
  for (const Exchange& exchange : topology.exchanges) {
    const std::string where = "exchange " + exchange.name;
    const bool plain = exchange.type == "direct" || exchange.type == "fanout" || exchange.type == "topic";
    if (!plain && exchange.type != "x-consistent-hash") refuse("exchanges of type " + exchange.type, where);
    for (const auto& [key, value] : exchange.arguments.items()) {
      if (key != "alternate-exchange") refuse("the argument " + key, where);
    }
    const auto argument = exchange.arguments.find("alternate-exchange");
    const bool to_hash = hashes(topology, exchange.alternate_exchange) ||
                         (argument != exchange.arguments.end() && argument->is_string() &&
                          hashes(topology, argument->get<std::string>()));
    if (to_hash) refuse("consistent hash as an alternate exchange", where);
  }
  for (const brokerlab::Queue& queue : topology.queues) {
    for (const auto& [key, value] : queue.arguments.items()) {
      if (key != "x-queue-type" || value != "classic") refuse("the argument " + key, "queue " + queue.name);
    }
  }
  for (const Binding& binding : topology.bindings) {
    const std::string where = "exchange " + binding.exchange;
    if (!binding.lasts()) refuse("bindings that come or go in mid-run", where);
    if (binding.destination_kind == Binding::Destination::kQueue) continue;
    if (hashes(topology, binding.exchange) || hashes(topology, binding.destination)) {
      refuse("consistent hash between exchanges", where);
    }
  }
}

const std::vector<SimulatedBroker::Queue*>& SimulatedBroker::queues_for(const std::string& exchange,
                                                                        const std::string& routing_key) {
  const auto [place, made] = routes_.try_emplace({exchange, routing_key});
  if (!made) return place->second;
  const auto hash = hashes_.find(exchange);
  if (hash != hashes_.end()) {
    place->second = {&queues_.at(hash->second.destination_of(routing_key))};
    return place->second;
  }
  const Routes routes = route(topology_, exchange, routing_key);
  if (!routes.known) refuse("where it leads", "exchange " + exchange + ", key " + routing_key);
  for (const std::string& queue : routes.queues) place->second.push_back(&queues_.at(queue));
  return place->second;
}

void SimulatedBroker::arrive(std::function<void()> act) {
  if (paused_) {
    held_.push_back(std::move(act));
  } else {
    act();
  }
}

void SimulatedBroker::publish(const std::string& exchange, const std::string& routing_key,
                              const SimulatedMessage& message, OnConfirm on_confirm) {
  const std::vector<Queue*>& queues = queues_for(exchange, routing_key);
  time_.after(costs_.publish_ns, [this, &queues, message, on_confirm = std::move(on_confirm)]() mutable {
    arrive([this, &queues, message, on_confirm = std::move(on_confirm)] {
      const Nanoseconds work_ns =
          costs_.serial_ns + static_cast<Nanoseconds>(costs_.per_byte_ns * message.bytes);
      free_at_ns_ = std::max(free_at_ns_, time_.now()) + work_ns;
      time_.at(free_at_ns_, [this, &queues, message, on_confirm] {
        arrive([this, &queues, message, on_confirm] { accept(queues, message, on_confirm); });
      });
    });
  });
}

void SimulatedBroker::accept(const std::vector<Queue*>& queues, const SimulatedMessage& message,
                             const OnConfirm& on_confirm) {
  const bool routed = !queues.empty();
  time_.after(costs_.confirm_ns, [on_confirm, routed] { on_confirm(routed); });
  for (Queue* queue : queues) {
    queue->ready.push_back({queue->next_position++, message});
    deliver(*queue);
  }
}

SimulatedBroker::ConsumerId SimulatedBroker::consume(const std::string& queue, std::uint32_t prefetch,
                                                     bool auto_ack, OnDelivery on_delivery) {
  const auto found = queues_.find(queue);
  if (found == queues_.end()) refuse("the queue", queue);
  const ConsumerId id = consumers_.size();
  consumers_.push_back({&found->second, auto_ack ? 0 : prefetch, auto_ack, std::move(on_delivery), {}});
  found->second.willing.push_back(id);
  arrive([this, id] { deliver(*consumers_.at(id).queue); });
  return id;
}

bool SimulatedBroker::full(const Consumer& consumer) {
  return consumer.limit != 0 && consumer.unacked.size() >= consumer.limit;
}

void SimulatedBroker::deliver(Queue& queue) {
  while (!paused_ && !queue.ready.empty() && !queue.willing.empty()) {
    const ConsumerId id = queue.willing.front();
    queue.willing.pop_front();
    Consumer& consumer = consumers_.at(id);
    if (!consumer.alive) continue;
    const Item item = queue.ready.front();
    queue.ready.pop_front();
    const Tag tag = consumer.next_tag++;
    if (!consumer.auto_ack) {
      consumer.unacked.emplace(tag, item);
      ++queue.unacked;
    }
    // A consumer at its limit leaves the round and joins it again, last, when it has settled something.
    consumer.waits_its_turn = !full(consumer);
    if (consumer.waits_its_turn) queue.willing.push_back(id);
    time_.after(costs_.deliver_ns, [&consumer, tag, message = item.message] {
      if (consumer.alive) consumer.on_delivery(tag, message);
    });
  }
}

void SimulatedBroker::ack(ConsumerId consumer, Tag tag) {
  time_.after(costs_.ack_ns, [=, this] { arrive([=, this] { settle(consumer, tag, false); }); });
}

void SimulatedBroker::requeue(ConsumerId consumer, Tag tag) {
  time_.after(costs_.ack_ns, [=, this] { arrive([=, this] { settle(consumer, tag, true); }); });
}

void SimulatedBroker::settle(ConsumerId id, Tag tag, bool back) {
  Consumer& consumer = consumers_.at(id);
  const auto settled = consumer.unacked.find(tag);
  if (settled == consumer.unacked.end()) return;  // it crashed meanwhile
  const Item item = settled->second;
  consumer.unacked.erase(settled);
  --consumer.queue->unacked;
  if (back) put_back(*consumer.queue, item);
  if (!consumer.waits_its_turn) {
    consumer.waits_its_turn = true;
    consumer.queue->willing.push_back(id);
  }
  deliver(*consumer.queue);
}

void SimulatedBroker::put_back(Queue& queue, Item item) {
  item.message.redelivered = true;
  const auto place =
      std::upper_bound(queue.ready.begin(), queue.ready.end(), item.position,
                       [](std::uint64_t position, const Item& other) { return position < other.position; });
  queue.ready.insert(place, item);
}

void SimulatedBroker::crash(ConsumerId id) {
  consumers_.at(id).alive = false;
  arrive([this, id] {
    Consumer& consumer = consumers_.at(id);
    Queue& queue = *consumer.queue;
    for (const auto& [tag, item] : std::exchange(consumer.unacked, {})) {
      put_back(queue, item);
      --queue.unacked;
    }
    std::erase(queue.willing, id);
    deliver(queue);
  });
}

void SimulatedBroker::pause() { paused_ = true; }

void SimulatedBroker::resume() {
  paused_ = false;
  for (const auto& act : std::exchange(held_, {})) act();
  for (auto& [name, queue] : queues_) deliver(queue);
}

std::size_t SimulatedBroker::ready(const std::string& queue) const { return queues_.at(queue).ready.size(); }
std::size_t SimulatedBroker::unacked(const std::string& queue) const { return queues_.at(queue).unacked; }

}  // namespace brokerlab
