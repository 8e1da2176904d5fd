#include "broker/simulated_broker.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/key_hash.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Error("the simulated broker does not know " + what, where, "use a real broker for this experiment",
              ExitStatus::kUsage);
}

}  // namespace

SimulatedBroker::SimulatedBroker(const Topology& topology, const BrokerCosts& costs, VirtualTime& time,
                                 std::uint64_t seed)
    : routing_(topology, seed),
      time_(time),
      publish_(costs.publish, seed, "publish", "broker"),
      confirm_(costs.confirm, seed, "confirm", "broker"),
      deliver_(costs.deliver, seed, "deliver", "broker"),
      ack_(costs.ack, seed, "ack", "broker"),
      route_ns_(costs.route),
      per_byte_ns_(costs.per_byte_ns) {
  for (const brokerlab::Queue& queue : topology.queues) declare(queue);
  refuse_dead_letter_circles();
}

void SimulatedBroker::declare(const brokerlab::Queue& declared) {
  queue_numbers_.emplace(declared.name, static_cast<std::uint32_t>(queues_.size()));
  queues_.emplace_back();
  SimulatedQueue& queue = queues_.back();
  queue.name = declared.name;
  for (const auto& [key, value] : declared.arguments.items()) {
    const bool whole = value.is_number_integer() && value.get<std::int64_t>() >= 0;
    if (key == "x-queue-type" && value == "classic") continue;
    if (key == "x-overflow" && value == "drop-head") continue;
    if (key == "x-message-ttl" && whole) {
      queue.time_to_live_ns = value.get<std::int64_t>() * kMillisecond;
    } else if (key == "x-max-length" && whole) {
      queue.longest = value.get<std::size_t>();
    } else if (key == "x-dead-letter-exchange" && value.is_string()) {
      queue.has_dead_letters = true;
      queue.dead_letter_exchange = value.get<std::string>();
    } else if (key == "x-dead-letter-routing-key" && value.is_string()) {
      queue.dead_letter_key = value.get<std::string>();
    } else {
      refuse("the argument " + key + ": " + value.dump(), "queue " + declared.name);
    }
  }
}

// What goes round by itself never ends; the real broker has rules of its own for it.
void SimulatedBroker::refuse_dead_letter_circles() {
  for (std::uint32_t start = 0; start < queues_.size(); ++start) {
    std::set<std::uint32_t> seen;
    std::vector<std::uint32_t> next{start};
    while (!next.empty()) {
      const SimulatedQueue& queue = queues_[next.back()];
      next.pop_back();
      if (!queue.has_dead_letters) continue;
      const std::string key = queue.dead_letter_key.value_or(queue.name);
      for (const std::uint32_t reached : routing_.queues(route(queue.dead_letter_exchange, key))) {
        if (reached == start)
          refuse("dead letters that come back to their queue", "queue " + queues_[start].name);
        if (seen.insert(reached).second) next.push_back(reached);
      }
    }
  }
}

void SimulatedBroker::happen(VirtualTime::Happening happening) {
  const std::uint32_t who = happening.subject;
  if (happening.what == kConfirm) {
    Publisher& publisher = publishers_[who];
    const auto [message, routed] = publisher.confirming.front();
    publisher.confirming.pop_front();
    return publisher.client->on_confirm(message, routed);
  }
  if (happening.what == kDeliver) return hand_over(who);
  // Everything else is the broker's own work.
  if (paused_) return held_.push_back(happening);
  switch (happening.what) {
    case kArrive:
      return arrive(who);
    case kAccept: {
      const SimulatedMessage message = publishers_[who].accepting.front();
      publishers_[who].accepting.pop_front();
      return accept(who, message);
    }
    case kSettle:
      return settle(who);
    case kExpire:
      return drop_expired(queues_[who]);
    case kCrash:
      return take_back(who);
    default:  // kSubscribe
      return deliver(queues_[consumers_[who].queue]);
  }
}

SimulatedBroker::PublisherId SimulatedBroker::add_publisher(SimulatedClient& client, bool confirms) {
  publishers_.push_back({&client, confirms, {}, {}, {}, {}, {}});
  return static_cast<PublisherId>(publishers_.size() - 1);
}

void SimulatedBroker::publish(PublisherId id, const SimulatedMessage& message) {
  Publisher& publisher = publishers_[id];
  publisher.arriving.push_back(message);
  const Nanoseconds now = time_.now();
  time_.at(publisher.to_broker.arrival(now + publish_.draw(now)), *this, {kArrive, id});
}

void SimulatedBroker::arrive(PublisherId id) {
  Publisher& publisher = publishers_[id];
  const SimulatedMessage message = publisher.arriving.front();
  publisher.arriving.pop_front();
  const Nanoseconds work_ns = route_ns_ + static_cast<Nanoseconds>(per_byte_ns_ * message.bytes);
  if (work_ns == 0) return accept(id, message);
  free_at_ns_ = std::max(free_at_ns_, time_.now()) + work_ns;
  publisher.accepting.push_back(message);
  time_.at(free_at_ns_, *this, {kAccept, id});
}

void SimulatedBroker::accept(PublisherId id, const SimulatedMessage& message) {
  const std::vector<std::uint32_t>& queues = routing_.queues(message.route);
  Publisher& publisher = publishers_[id];
  const bool routed = !queues.empty();
  if (publisher.confirms || !routed) {
    const Nanoseconds now = time_.now();
    publisher.confirming.emplace_back(message.id, routed);
    time_.at(publisher.from_broker.arrival(now + confirm_.draw(now)), *this, {kConfirm, id});
  }
  if (queues.size() == 1) return enqueue(queues_[queues.front()], message);
  for (const std::uint32_t queue : std::vector<std::uint32_t>(queues)) enqueue(queues_[queue], message);
}

void SimulatedBroker::enqueue(SimulatedQueue& queue, const SimulatedMessage& message) {
  queue.append(message, time_.now());
  deliver(queue);
  while (queue.longest && queue.ready.size() > *queue.longest)
    bury(queue, queue.take_first().message, DeathReason::kMaxLength);
  if (!queue.time_to_live_ns || queue.ready.empty()) return;
  const auto number = static_cast<std::uint32_t>(queue_numbers_.at(queue.name));
  time_.at(time_.now() + *queue.time_to_live_ns, *this, {kExpire, number});
}

void SimulatedBroker::drop_expired(SimulatedQueue& queue) {
  while (!queue.ready.empty() && queue.ready.front().expires_ns != 0 &&
         queue.ready.front().expires_ns <= time_.now())
    bury(queue, queue.take_first().message, DeathReason::kExpired);
}

void SimulatedBroker::bury(const SimulatedQueue& queue, SimulatedMessage message, DeathReason reason) {
  if (!queue.has_dead_letters) return;
  const std::string key = queue.dead_letter_key.value_or(routing_.key_of(message.route));
  message.route = routing_.route(queue.dead_letter_exchange, key, routing_.headers_of(message.route));
  message.redelivered = false;
  message.death = reason;
  message.deaths += message.deaths < std::numeric_limits<std::uint8_t>::max() ? 1 : 0;
  message.death_queue = queue_hash(queue.name);
  for (const std::uint32_t to : std::vector<std::uint32_t>(routing_.queues(message.route)))
    enqueue(queues_[to], message);
}

SimulatedBroker::ConsumerId SimulatedBroker::consume(const std::string& queue, std::uint32_t prefetch,
                                                     bool auto_ack, SimulatedClient& client) {
  const auto found = queue_numbers_.find(queue);
  if (found == queue_numbers_.end()) refuse("the queue", queue);
  const auto id = static_cast<ConsumerId>(consumers_.size());
  consumers_.emplace_back();
  Consumer& consumer = consumers_.back();
  consumer.client = &client;
  consumer.queue = found->second;
  consumer.limit = auto_ack ? 0 : prefetch;
  consumer.auto_ack = auto_ack;
  queues_[consumer.queue].willing.push_back(id);
  happen({kSubscribe, id});
  return id;
}

void SimulatedBroker::deliver(SimulatedQueue& queue) {
  if (queue.time_to_live_ns) drop_expired(queue);
  while (!paused_ && !queue.ready.empty() && !queue.willing.empty()) {
    const ConsumerId id = queue.willing.front();
    queue.willing.pop_front();
    Consumer& consumer = consumers_[id];
    if (!consumer.alive || consumer.cancelled) {
      consumer.waits_its_turn = false;
      continue;
    }
    const QueuedMessage item = queue.take_first();
    Tag tag = 0;
    if (consumer.auto_ack) {
      tag = ++consumer.automatic_tag;
    } else {
      tag = consumer.open.add(item);
      ++queue.unacked;
    }
    // A consumer at its limit leaves the round and joins it again, last, when it has settled something.
    consumer.waits_its_turn = !consumer.full();
    if (consumer.waits_its_turn) queue.willing.push_back(id);
    consumer.delivering.emplace_back(tag, item.message);
    const Nanoseconds now = time_.now();
    time_.at(consumer.from_broker.arrival(now + deliver_.draw(now)), *this, {kDeliver, id});
  }
}

void SimulatedBroker::hand_over(ConsumerId id) {
  Consumer& consumer = consumers_[id];
  if (!consumer.alive) return;
  const auto [tag, message] = consumer.delivering.front();
  consumer.delivering.pop_front();
  consumer.client->on_delivery(tag, message);
}

void SimulatedBroker::send_settlement(ConsumerId id, Tag tag, How how) {
  Consumer& consumer = consumers_[id];
  consumer.settling.push_back({tag, how});
  const Nanoseconds now = time_.now();
  time_.at(consumer.to_broker.arrival(now + ack_.draw(now)), *this, {kSettle, id});
}

void SimulatedBroker::ack(ConsumerId consumer, Tag tag, bool multiple) {
  send_settlement(consumer, tag, multiple ? How::kAckThrough : How::kAck);
}
void SimulatedBroker::requeue(ConsumerId consumer, Tag tag) { send_settlement(consumer, tag, How::kRequeue); }
void SimulatedBroker::reject(ConsumerId consumer, Tag tag) { send_settlement(consumer, tag, How::kReject); }

void SimulatedBroker::settle(ConsumerId id) {
  Consumer& consumer = consumers_[id];
  const Settling settling = consumer.settling.front();
  consumer.settling.pop_front();
  if (settling.how == How::kAckThrough) {
    const auto taken = consumer.open.take_through(settling.tag);
    queues_[consumer.queue].unacked -= taken.size();
  } else if (const auto item = consumer.open.take(settling.tag)) {
    settled(consumer, *item, settling.how);
  }
  take_turn_again(id);
  deliver(queues_[consumer.queue]);
}

void SimulatedBroker::settled(Consumer& consumer, const QueuedMessage& item, How how) {
  SimulatedQueue& queue = queues_[consumer.queue];
  --queue.unacked;
  if (how == How::kRequeue) queue.put_back(item);
  if (how == How::kReject) bury(queue, item.message, DeathReason::kRejected);
}

void SimulatedBroker::take_turn_again(ConsumerId id) {
  Consumer& consumer = consumers_[id];
  if (consumer.waits_its_turn || !consumer.alive || consumer.cancelled || consumer.full()) return;
  consumer.waits_its_turn = true;
  queues_[consumer.queue].willing.push_back(id);
}

void SimulatedBroker::cancel(ConsumerId id) { consumers_[id].cancelled = true; }

void SimulatedBroker::crash(ConsumerId id) {
  consumers_[id].alive = false;
  happen({kCrash, id});
}

void SimulatedBroker::take_back(ConsumerId id) {
  SimulatedQueue& queue = queues_[consumers_[id].queue];
  std::vector<QueuedMessage> items = consumers_[id].open.take_all();
  queue.unacked -= items.size();
  // The youngest first: each then goes before the one that came before it here.
  std::for_each(items.rbegin(), items.rend(), [&](const QueuedMessage& item) { queue.put_back(item); });
  std::erase(queue.willing, id);
  deliver(queue);
}

void SimulatedBroker::resume() {
  paused_ = false;
  for (const VirtualTime::Happening& happening : std::exchange(held_, {})) happen(happening);
  for (SimulatedQueue& queue : queues_) deliver(queue);
}

}  // namespace brokerlab
