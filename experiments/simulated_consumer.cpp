#include "experiments/simulated_consumer.h"

#include <utility>

#include "core/key_hash.h"
#include "roles/ack_writer.h"

namespace brokerlab {

SimulatedConsumer::SimulatedConsumer(SimulatedWorld& world, SimulatedProcess& process, const Setup& setup)
    : world_(world),
      process_(process),
      spec_(setup.spec),
      length_(setup.length),
      routes_(setup.routes),
      instance_(setup.instance),
      position_(setup.position),
      queue_(setup.queue),
      hop_limit_(setup.hop_limit),
      batch_limit_(spec_.consume.batch_limit()),
      behaviour_(make_behaviour({spec_, instance_.name, setup.directory})) {
  if (!spec_.outputs.empty()) publisher_ = world_.broker.add_publisher(*this);
}

void SimulatedConsumer::subscribe() {
  process_.events().moment(EventKind::kConsuming, position_, world_.time.now());
  subscribed_ = true;
  id_ = world_.broker.consume(instance_.queue, spec_.consume.prefetch, spec_.consume.automatic(), *this);
}

void SimulatedConsumer::stop() {
  if (subscribed_) world_.broker.cancel(id_);
}

void SimulatedConsumer::crash() {
  waiting_.clear();
  work_.reset();
  batch_.clear();
  if (subscribed_) world_.broker.crash(id_);
}

void SimulatedConsumer::on_delivery(std::uint64_t tag, const SimulatedMessage& message) {
  process_.when_running([this, tag, message] { take(tag, message); });
}

DeliveryRecord& SimulatedConsumer::note(const SimulatedMessage& message, bool at_once) {
  const SimulatedStamp& stamp = world_.messages.stamp(message.id);
  DeliveryRecord record{};
  record.intended_ns = stamp.intended_ns;
  record.sent_ns = stamp.sent_ns;
  record.received_ns = world_.time.now();
  record.publisher = stamp.publisher;
  record.sequence = stamp.sequence;
  record.consumer = position_;
  record.queue = queue_;
  record.body_bytes = message.bytes;
  record.flags = message.redelivered ? kRedelivered : 0;
  record.hops = static_cast<std::uint16_t>(stamp.hops);
  record.death = static_cast<std::uint8_t>(message.death);
  record.deaths = message.deaths;
  record.death_queue = message.death_queue;
  if (spec_.consume.automatic()) {
    record.settled_ns = record.received_ns;
    record.settlement = static_cast<std::uint8_t>(Settlement::kAutomatic);
  }
  if (at_once) record.started_ns = record.done_ns = record.received_ns;
  ++process_.recording().counters().messages_in;
  DeliveryRecord& appended = process_.recording().append_delivery(record);
  const SimulatedContents& contents = world_.messages.contents(stamp);
  if (!spec_.record_keys && !contents.origin) return appended;
  DeliveryDetail detail{};
  detail.origin_publisher = DeliveryDetail::kNoOrigin;
  if (contents.origin) {
    detail.origin_intended_ns = contents.origin->intended_ns;
    detail.origin_publisher = contents.origin->publisher;
    detail.origin_sequence = static_cast<std::uint32_t>(contents.origin->sequence);
  }
  if (spec_.record_keys) detail.key_hash = key_hash(contents.routing_key);
  process_.recording().append_detail(detail);
  return appended;
}

void SimulatedConsumer::take(std::uint64_t tag, const SimulatedMessage& message) {
  const bool at_once = spec_.settles_at_once() && process_.hindrance.none() && in_hand() == 0;
  DeliveryRecord& record = note(message, at_once);
  if (at_once) return settle(record, tag, Settlement::kAcked);
  waiting_.push_back({&record, tag, message.id});
  pump();
}

// Begins with the next ones until one keeps it busy.
void SimulatedConsumer::pump() {
  while (!process_.hindrance.hangs && !work_ && !waiting_.empty()) {
    work_ = waiting_.front();
    waiting_.pop_front();
    begin();
  }
}

void SimulatedConsumer::begin() {
  const SimulatedStamp& stamp = world_.messages.stamp(work_->message);
  const SimulatedContents& contents = world_.messages.contents(stamp);
  reaction_ = behaviour_->receive(contents.body, contents.routing_key);
  if (reaction_.verdict == Reaction::Verdict::kAct && !length_.stands_in(reaction_.body))
    reaction_.verdict = Reaction::Verdict::kUnreadable;
  if (reaction_.verdict != Reaction::Verdict::kAct) return set_aside(reaction_.verdict);
  const Nanoseconds now = world_.time.now();
  work_->record->started_ns = now;
  Nanoseconds length_ns =
      process_.hindrance.slowed(length_.of(stamp.publisher, stamp.sequence, contents.body, reaction_.body));
  const bool works = spec_.effort.kind != EffortSpec::Kind::kNone;
  if (works) length_ns += world_.overshoot.draw(now);
  if (!works && length_ns == 0) return finish_effort();
  world_.time.after(length_ns, *this, {kEffortDone, 0});
}

void SimulatedConsumer::set_aside(Reaction::Verdict verdict) {
  const Work work = *std::exchange(work_, std::nullopt);
  Settlement settlement = Settlement::kAcked;
  if (spec_.otherwise == Otherwise::kRequeue) settlement = Settlement::kRequeued;
  if (spec_.otherwise == Otherwise::kNack || spec_.otherwise == Otherwise::kDeadLetter)
    settlement = Settlement::kRejected;
  if (verdict == Reaction::Verdict::kReject) {
    settlement = Settlement::kRejected;
  } else {
    work.record->flags |= verdict == Reaction::Verdict::kUnreadable ? kUnreadable : kIgnored;
  }
  settle(*work.record, work.tag, settlement);
}

void SimulatedConsumer::happen(VirtualTime::Happening happening) {
  process_.when_running([this, what = happening.what] {
    if (what == kIdle) return on_idle();
    if (process_.hindrance.hangs) {
      effort_held_ = true;
      return;
    }
    finish_effort();
    pump();
  });
}

void SimulatedConsumer::go_on() {
  if (process_.hindrance.hangs) return;
  if (std::exchange(effort_held_, false)) finish_effort();
  pump();
}

void SimulatedConsumer::finish_effort() {
  const Work work = *work_;
  const SimulatedStamp& stamp = world_.messages.stamp(work.message);
  std::vector<Outgoing> outgoing = behaviour_->finish(reaction_, world_.messages.contents(stamp).body);
  const bool undone = behaviour_->undone();
  if (!undone) work.record->done_ns = world_.time.now();
  // What goes round in a circle must come to an end, whoever declared it.
  if (stamp.hops >= hop_limit_ && !outgoing.empty()) {
    work.record->flags |= kHopLimited;
    outgoing.clear();
  }
  for (const Outgoing& message : outgoing) publish(SimulatedStamp(stamp), message);
  work_.reset();
  settle(*work.record, work.tag, undone ? Settlement::kRequeued : Settlement::kAcked);
}

void SimulatedConsumer::publish(const SimulatedStamp& cause, const Outgoing& message) {
  const Output& output = spec_.outputs.at(message.output);
  const std::string& key = output.routing_key ? *output.routing_key : message.routing_key;
  const Nanoseconds now = world_.time.now();
  const auto sequence = static_cast<std::uint32_t>(sequence_++);
  PublishRecord& record = process_.recording().append_publish(
      {now, now, 0, sequence, position_, routes_.of(output.exchange, key), 0});
  const std::optional<Stamp::Origin>& origin = world_.messages.contents(cause).origin;
  const std::uint64_t id = world_.messages.add(
      {now, now, instance_.publisher.value(), sequence, cause.hops + 1},
      {message.body, key,
       origin.value_or(Stamp::Origin{cause.publisher, cause.sequence, cause.intended_ns})});
  outstanding_.add(std::uint64_t{sequence} + 1, record);
  mandatory_.push_back(output.mandatory);
  ++process_.recording().counters().messages_out;
  world_.broker.publish(publisher_, {id, static_cast<std::uint32_t>(message.body.size()),
                                     world_.broker.route(output.exchange, key)});
}

void SimulatedConsumer::on_confirm(std::uint64_t message, bool routed) {
  process_.when_running([this, message, routed] {
    const SimulatedStamp& stamp = world_.messages.stamp(message);
    const bool returned = mandatory_.front() && !routed;
    mandatory_.pop_front();
    outstanding_.settle(std::uint64_t{stamp.sequence} + 1, false, [&](PublishRecord& record) {
      record.settled_ns = world_.time.now();
      record.outcome |= kConfirmed;
      if (returned) record.outcome |= kReturned;
    });
  });
}

void SimulatedConsumer::settle(DeliveryRecord& record, std::uint64_t tag, Settlement settlement) {
  if (spec_.consume.automatic()) return;
  const bool alone = settlement != Settlement::kAcked || batch_limit_ == 1;
  if (alone) {
    record.settled_ns = world_.time.now();
    record.settlement = static_cast<std::uint8_t>(settlement);
    if (settlement == Settlement::kAcked) return world_.broker.ack(id_, tag);
    if (settlement == Settlement::kRequeued) return world_.broker.requeue(id_, tag);
    return world_.broker.reject(id_, tag);
  }
  batch_.push_back(&record);
  last_tag_ = tag;
  last_added_ns_ = world_.time.now();
  if (batch_.size() >= batch_limit_) return flush();
  if (std::exchange(idle_timer_, true)) return;
  world_.time.after(AckWriter::kIdle, *this, {kIdle, 0});
}

void SimulatedConsumer::flush() {
  if (batch_.empty()) return;
  world_.broker.ack(id_, last_tag_, true);
  for (DeliveryRecord* record : batch_) {
    record->settled_ns = world_.time.now();
    record->settlement = static_cast<std::uint8_t>(Settlement::kAcked);
  }
  batch_.clear();
}

// An incomplete batch is acknowledged when nothing has been added to it for a while.
void SimulatedConsumer::on_idle() {
  idle_timer_ = false;
  if (batch_.empty()) return;
  const Nanoseconds flush_at = last_added_ns_ + AckWriter::kIdle;
  if (world_.time.now() >= flush_at) return flush();
  idle_timer_ = true;
  world_.time.at(flush_at, *this, {kIdle, 0});
}

}  // namespace brokerlab
