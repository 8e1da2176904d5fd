#include "experiments/simulated_publisher.h"

#include <algorithm>
#include <utility>

namespace brokerlab {
namespace {

// Without confirms only a return tells of a publish, and it comes soon or never.
constexpr std::size_t kReturnsExpectedAmong = 1 << 17;

}  // namespace

SimulatedPublisher::SimulatedPublisher(SimulatedWorld& world, SimulatedProcess& process, const Setup& setup,
                                       std::function<void()> on_finished)
    : world_(world),
      process_(process),
      spec_(setup.spec),
      position_(setup.position),
      publisher_(setup.instance.publisher.value()),
      instance_(static_cast<std::uint32_t>(setup.instance.index)),
      on_finished_(std::move(on_finished)),
      pacer_(Pacer::make(setup.spec, world.seed, instance_)),
      cursor_(pacer_ ? pacer_->cursor() : nullptr),
      payload_(Payload::make(setup.spec, world.seed, instance_)),
      routing_key_(setup.spec, setup.routes, world.seed, instance_),
      id_(world.broker.add_publisher(*this, setup.spec.confirms)),
      outstanding_(setup.spec.confirms ? 0 : kReturnsExpectedAmong),
      horizon_ns_(setup.spec.horizon_ns(setup.load_ns)) {}

void SimulatedPublisher::start(Nanoseconds t0_ns) {
  t0_ns_ = t0_ns;
  if (!pacer_) slots_.assign(spec_.confirms ? spec_.window : 1, 0);
  advance();
  wait_for_next();
  check_finished();
}

// Fetches the time of message `sequence_`.
void SimulatedPublisher::advance() {
  next_ns_.reset();
  if (spec_.stop_count && sequence_ >= *spec_.stop_count) return;
  if (pacer_) {
    next_ns_ = cursor_->next();
  } else if (!slots_.empty()) {
    next_ns_ = slots_.front();
  }
  if (next_ns_ && *next_ns_ >= horizon_ns_) next_ns_.reset();
}

void SimulatedPublisher::wait_for_next() {
  if (!next_ns_ || waits_for_time_) return;
  waits_for_time_ = true;
  const Nanoseconds due = t0_ns_ + *next_ns_ + world_.send.draw(t0_ns_ + *next_ns_);
  world_.time.at(std::max(due, last_sent_ns_), *this, {});
}

void SimulatedPublisher::happen(VirtualTime::Happening) {
  process_.when_running([this] {
    waits_for_time_ = false;
    publish_due();
  });
}

void SimulatedPublisher::publish_due() {
  if (!next_ns_) return;
  if (process_.hindrance.hangs) {
    hung_ = true;
    return;
  }
  if (spec_.confirms && outstanding_.size() >= spec_.window) {
    if (window_full_since_ns_ == 0) window_full_since_ns_ = world_.time.now();
    waits_for_window_ = true;
    return;
  }
  publish_next();
  wait_for_next();
  check_finished();
}

void SimulatedPublisher::publish_next() {
  const MessageContext context{sequence_, publisher_, instance_, *next_ns_};
  const std::string_view body = payload_->next(context);
  const RoutingKey::Choice key = routing_key_.next(context, body);
  const Nanoseconds now = last_sent_ns_ = world_.time.now();
  const Nanoseconds intended = pacer_ ? t0_ns_ + *next_ns_ : now;
  const auto sequence = static_cast<std::uint32_t>(sequence_);
  PublishRecord& record = process_.recording().append_publish(
      {intended, now, 0, sequence, position_, key.route,
       static_cast<std::uint8_t>(spec_.confirms ? 0 : kUnconfirmedByDesign)});
  const SimulatedStamp stamp{intended, now, publisher_, sequence};
  const std::uint64_t id = world_.keeps_contents
                               ? world_.messages.add(stamp, {std::string(body), std::string(key.key), {}})
                               : world_.messages.add(stamp);
  outstanding_.add(sequence_ + 1, record);
  world_.broker.publish(id_, {id, static_cast<std::uint32_t>(body.size()), route_of(key.key)});
  ++process_.recording().counters().messages_out;
  ++sequence_;
  if (!pacer_) {
    slots_.pop_front();
    if (!spec_.confirms) release_slot();
  }
  advance();
}

std::uint32_t SimulatedPublisher::route_of(std::string_view key) {
  const auto [place, made] = routes_.try_emplace(std::string(key));
  if (made) place->second = world_.broker.route(spec_.exchange, place->first, spec_.headers);
  return place->second;
}

void SimulatedPublisher::on_confirm(std::uint64_t message, bool routed) {
  process_.when_running([this, message, routed] { settle(message, routed); });
}

void SimulatedPublisher::settle(std::uint64_t message, bool routed) {
  const std::uint64_t number = std::uint64_t{world_.messages.stamp(message).sequence} + 1;
  if (!spec_.confirms) {
    PublishRecord* record = outstanding_.find(number);
    if (record != nullptr && !routed && spec_.mandatory) record->outcome |= kReturned;
    return;
  }
  const Nanoseconds now = world_.time.now();
  outstanding_.settle(number, false, [&](PublishRecord& record) {
    record.settled_ns = now;
    record.outcome |= kConfirmed;
    if (!routed && spec_.mandatory) record.outcome |= kReturned;
  });
  const bool idle = !next_ns_;
  release_slot();
  if (idle && !pacer_) {
    advance();
    wait_for_next();
  }
  resume();
  check_finished();
}

// Closed loop: a settled message makes room for a new one, after the time to think.
void SimulatedPublisher::release_slot() {
  if (pacer_) return;
  slots_.push_back(world_.time.now() - t0_ns_ + std::get<ClosedArrivals>(spec_.arrivals).think_ns);
}

void SimulatedPublisher::resume() {
  if (!std::exchange(waits_for_window_, false)) return;
  if (const Nanoseconds since = std::exchange(window_full_since_ns_, 0); since != 0 && pacer_) {
    const Nanoseconds now = world_.time.now();
    process_.events().interval(EventKind::kConfirmWindowHit, position_, since, now, now - since);
  }
  publish_due();
}

void SimulatedPublisher::go_on() {
  if (std::exchange(hung_, false)) publish_due();
}

void SimulatedPublisher::stop() {
  next_ns_.reset();
  slots_.clear();
  check_finished();
}

void SimulatedPublisher::check_finished() {
  if (finished_ || next_ns_ || (spec_.confirms && outstanding_.size() > 0)) return;
  finished_ = true;
  on_finished_();
}

std::uint64_t SimulatedPublisher::scheduled(Nanoseconds now_ns) const {
  const Nanoseconds elapsed = std::min(now_ns - t0_ns_ + 1, horizon_ns_);
  if (!pacer_ || !next_ns_ || *next_ns_ >= elapsed) return sequence_;
  return std::min(pacer_->count_within(elapsed), spec_.stop_count.value_or(UINT64_MAX));
}

}  // namespace brokerlab
