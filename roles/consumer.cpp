#include "roles/consumer.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "amqp/properties.h"
#include "core/key_hash.h"
#include "roles/death.h"

namespace brokerlab {
namespace {

constexpr std::uint32_t kNoPublisher = UINT32_MAX;

Settlement settlement_of(Otherwise otherwise) {
  switch (otherwise) {
    case Otherwise::kNack:
    case Otherwise::kDeadLetter:
      return Settlement::kRejected;
    case Otherwise::kRequeue:
      return Settlement::kRequeued;
    case Otherwise::kAck:
    case Otherwise::kIgnore:
      break;
  }
  return Settlement::kAcked;
}

// What a reply needs of the message: the queue to go to (none when the message names none, or is not as AMQP
// wants it), and the id by which the asker knows it.
std::pair<std::string, std::optional<std::string>> return_address(const amqp::Delivery& delivery) try {
  amqp::Properties properties = delivery.properties();
  return {properties.reply_to.value_or(""), std::move(properties.correlation_id)};
} catch (const Error&) {
  return {};
}

}  // namespace

Consumer::Consumer(ChildRun& run, const Setup& setup, OnwardCounts& onward, std::function<void()> on_drained)
    : run_(run),
      spec_(setup.spec),
      length_(setup.length),
      refusal_(setup.refusal),
      hindrance_(setup.hindrance),
      position_(setup.position),
      queue_(setup.queue),
      run_number_(setup.run),
      queue_name_(setup.instance.at("queue").get<std::string>()),
      tag_(setup.instance.value("name", "")),
      on_drained_(std::move(on_drained)),
      acks_(run.loop(), run.clock(), setup.spec.consume),
      steps_(run, setup.spec, tag_, queue_name_),
      behaviour_(make_behaviour({setup.spec, tag_, setup.directory})),
      opening_(*behaviour_),
      hop_limit_(setup.hop_limit),
      effort_(run.loop(), run.clock(), setup.spec.effort.kind),
      poll_timer_(run.loop(), [this] { run_.guard([this] { poll(); }); }),
      retry_timer_(run.loop(), [this] { run_.guard([this] { subscribe_again(); }); }),
      rate_timer_(run.loop(), [this] { run_.guard([this] { pump(); }); }) {
  if (spec_.outputs.empty()) return;
  const OnwardPublisher::Setup publish{spec_, setup.routes, run_number_,
                                       setup.instance.at("publisher").get<std::uint32_t>(), position_};
  onward_ = std::make_unique<OnwardPublisher>(run.recording(), publish, onward);
}

std::string Consumer::name() const { return "role " + spec_.role + ", queue " + queue_name_; }

void Consumer::open(amqp::RecordedConnection& connection, std::function<void()> on_ready) {
  const auto answered = [this, on_ready = std::move(on_ready)](const amqp::Outcome& outcome) {
    run_.guard([&] {
      if (!outcome) return run_.fail(outcome.error().to_error(name()));
      on_ready();
    });
  };
  channel_ = &connection.connection().open_channel(this);
  acks_.use(*channel_);
  if (onward_) {
    onward_->use(connection, *channel_);
    channel_->confirm_select(nullptr);
  }
  if (spec_.consume.transaction > 0) channel_->tx_select(nullptr);
  if (spec_.consume.channel_prefetch) channel_->qos(*spec_.consume.channel_prefetch, true, nullptr);
  channel_->qos(spec_.consume.prefetch, false, answered);
}

void Consumer::subscribe(std::function<void()> on_subscribed) {
  const auto consuming = [this, on_subscribed = std::move(on_subscribed)] {
    if (const std::string first = behaviour_->begin(); !first.empty()) run_.pipe().notice(first);
    run_.events().moment(EventKind::kConsuming, position_, run_.clock().now());
    steps_.waiting();
    on_subscribed();
    opening_.begin();
    publish_opening();
  };
  if (spec_.consume.get_ns) {
    consuming();
    return poll();
  }
  channel_->consume(consume_options(), *this,
                    [this, consuming](const amqp::Outcome& outcome, const std::string& tag) {
                      run_.guard([&] {
                        if (!outcome) return run_.fail(outcome.error().to_error(name()));
                        tag_ = tag;
                        consuming();
                      });
                    });
}

amqp::ConsumeOptions Consumer::consume_options() const {
  amqp::ConsumeOptions options;
  options.queue = queue_name_;
  options.consumer_tag = tag_;
  options.auto_ack = spec_.consume.automatic();
  options.exclusive = spec_.consume.exclusive;
  options.arguments = spec_.consume.arguments;
  if (spec_.consume.priority) options.arguments["x-priority"] = *spec_.consume.priority;
  return options;
}

void Consumer::poll() {
  if (stopping_) return;
  poll_timer_.set(run_.clock().now() + *spec_.consume.get_ns);
  if (asking_ || in_hand() > 0 || channel_->state() != amqp::Channel::State::kOpen) return;
  asking_ = true;
  channel_->get(queue_name_, spec_.consume.automatic(),
                [this](const amqp::Outcome& outcome, const amqp::Delivery* message, std::uint32_t) {
                  asking_ = false;
                  if (outcome && message != nullptr) on_delivery(*message);
                  check_drained();
                });
}

DeliveryRecord& Consumer::note(const amqp::Delivery& delivery, const std::optional<Stamp>& stamp,
                               bool at_once) {
  DeliveryRecord record{};
  record.received_ns = delivery.received_ns;
  record.consumer = position_;
  record.queue = queue_;
  record.body_bytes = static_cast<std::uint32_t>(delivery.body.size());
  record.flags = delivery.redelivered ? kRedelivered : 0;
  if (stamp) {
    record.intended_ns = stamp->intended_ns;
    record.sent_ns = stamp->sent_ns;
    record.publisher = stamp->publisher;
    record.sequence = static_cast<std::uint32_t>(stamp->sequence);
    record.hops = static_cast<std::uint16_t>(stamp->hops);
    if (stamp->run != run_number_) record.flags |= kForeignRun;
    if (stamp->verified) verify(delivery, record);
  } else {
    record.flags |= kUnstamped;
  }
  if (spec_.consume.automatic()) {
    record.settled_ns = record.received_ns;
    record.settlement = static_cast<std::uint8_t>(Settlement::kAutomatic);
  }
  note_death(delivery, record);
  if (at_once) record.started_ns = record.done_ns = record.received_ns;
  ++counts_.received;
  counts_.redelivered += delivery.redelivered;
  DeliveryRecord& appended = run_.recording().append_delivery(record);
  if (spec_.record_keys || (stamp && stamp->origin)) note_detail(delivery, stamp);
  return appended;
}

void Consumer::verify(const amqp::Delivery& delivery, DeliveryRecord& record) {
  record.flags |= kVerified;
  if (Stamp::checksum_in(delivery.stamp_bytes) == body_checksum(delivery.body)) return;
  record.flags |= kCorrupted;
  if (counts_.corrupted++ == 0 && !run_.says())
    run_.pipe().notice(name() + ": a body that is not what was sent; such are counted as corrupted", true);
}

void Consumer::note_detail(const amqp::Delivery& delivery, const std::optional<Stamp>& stamp) {
  DeliveryDetail detail{};
  detail.origin_publisher = DeliveryDetail::kNoOrigin;
  if (stamp && stamp->origin) {
    detail.origin_intended_ns = stamp->origin->intended_ns;
    detail.origin_publisher = stamp->origin->publisher;
    detail.origin_sequence = static_cast<std::uint32_t>(stamp->origin->sequence);
  }
  if (spec_.record_keys) detail.key_hash = key_hash(delivery.routing_key);
  run_.recording().append_detail(detail);
}

void Consumer::on_delivery(const amqp::Delivery& delivery) {
  run_.guard([&] { take(delivery); });
}

void Consumer::take(const amqp::Delivery& delivery) {
  std::optional<Stamp> stamp = delivery.stamp();
  const bool at_once = spec_.settles_at_once() && hindrance_.none() && in_hand() == 0;
  DeliveryRecord& record = note(delivery, stamp, at_once);
  steps_.received(delivery, (record.flags & kCorrupted) != 0);
  if (at_once) {
    ++counts_.done;
    steps_.settled(Settlement::kAcked);
    return acks_.settle(record, delivery.tag, Settlement::kAcked);
  }
  waiting_.push_back({&record,
                      delivery.tag,
                      stamp,
                      counts_.received - 1,
                      connections_lost_,
                      spec_.looks_at_body() ? std::string(delivery.body_text()) : std::string(),
                      spec_.looks_at_body() ? std::string(delivery.routing_key) : std::string(),
                      {},
                      {},
                      {},
                      {}});
  waiting_.back().redelivered = delivery.redelivered;
  if (spec_.replies())
    std::tie(waiting_.back().reply_to, waiting_.back().correlation_id) = return_address(delivery);
  pump();
}

void Consumer::pump() {
  if (std::exchange(pumping_, true)) return;
  while (!hindrance_.hangs && !work_ && !waiting_.empty() && rate_allows()) {
    work_ = std::move(waiting_.front());
    waiting_.pop_front();
    begin();
  }
  pumping_ = false;
  check_drained();
}

// Keeps the mean rate: a timer that fires late is made up for by at most one message.
bool Consumer::rate_allows() {
  if (!spec_.consume.rate_per_s) return true;
  const Nanoseconds now = run_.clock().now();
  if (now < next_begin_ns_) {
    rate_timer_.set(next_begin_ns_);
    return false;
  }
  const auto gap = static_cast<Nanoseconds>(1e9 / *spec_.consume.rate_per_s);
  next_begin_ns_ = std::max(next_begin_ns_, now - gap) + gap;
  return true;
}

void Consumer::begin() {
  Work& work = *work_;
  const Nanoseconds now = run_.clock().now();
  work.reaction = behaviour_->receive(work.body, work.routing_key);
  if (work.reaction.verdict == Reaction::Verdict::kAct && !length_.stands_in(work.reaction.body)) {
    work.reaction.verdict = Reaction::Verdict::kUnreadable;
  }
  if (work.reaction.verdict != Reaction::Verdict::kAct) return set_aside();
  work.record->started_ns = now;
  const std::uint32_t publisher = work.stamp ? work.stamp->publisher : kNoPublisher;
  const std::uint64_t sequence = work.stamp ? work.stamp->sequence : work.identity;
  const Nanoseconds length_ns = hindrance_.slowed(
      length_.of(publisher, sequence, work.body, work.reaction.body, work.record->intended_ns));
  work.refused = refusal_.of(publisher, sequence, work.redelivered);
  if (spec_.effort.kind == EffortSpec::Kind::kNone && length_ns == 0) return compute();
  steps_.working(length_ns);
  effort_.begin(now, length_ns, [this] { run_.guard([this] { step(&Consumer::compute); }); });
}

void Consumer::step(void (Consumer::*next)()) {
  if (hindrance_.hangs) {
    held_ = next;
    return;
  }
  (this->*next)();
  pump();
}

void Consumer::go_on() {
  if (hindrance_.hangs) return;
  if (const auto next = std::exchange(held_, nullptr)) (this->*next)();
  pump();
}

void Consumer::compute() {
  if (!work_->reaction.compute) return finish_effort();
  steps_.working(0);
  effort_.compute(work_->reaction.compute,
                  [this] { run_.guard([this] { step(&Consumer::finish_effort); }); });
}

void Consumer::set_aside() {
  Work work = std::move(*work_);
  work_.reset();
  Settlement settlement = settlement_of(spec_.otherwise);
  if (work.reaction.verdict == Reaction::Verdict::kReject) {
    settlement = Settlement::kRejected;
  } else if (work.reaction.verdict == Reaction::Verdict::kUnreadable) {
    work.record->flags |= kUnreadable;
    if (counts_.unreadable++ == 0 && !run_.says()) {
      run_.pipe().notice(name() + ": a message whose body is not what this role expects; such are counted",
                         true);
    }
  } else {
    work.record->flags |= kIgnored;
    if (counts_.ignored++ == 0 && spec_.otherwise == Otherwise::kIgnore && !run_.says()) {
      run_.pipe().notice(name() + " ignores messages that its `when` does not match; such are counted");
    }
  }
  steps_.set_aside(work.reaction.verdict, settlement);
  if (!stale(work)) acks_.settle(*work.record, work.tag, settlement);
}

void Consumer::finish_effort() {
  const Nanoseconds now = run_.clock().now();
  work_->effort_made = true;
  counts_.busy_ns += now - work_->record->started_ns;
  work_->outgoing = behaviour_->finish(work_->reaction, work_->body);
  work_->undone = behaviour_->undone() || work_->refused != Settlement::kAcked;
  if (work_->refused != Settlement::kAcked) work_->outgoing.clear();
  address_replies(*work_);
  if (const std::string news = behaviour_->news(); !news.empty()) run_.pipe().notice(name() + ": " + news);
  if (!work_->undone) {
    work_->record->done_ns = now;
    ++counts_.done;
  }
  steps_.done(*behaviour_, now - work_->record->started_ns);
  // What goes round in a circle must come to an end, whoever declared it.
  if (work_->stamp && work_->stamp->hops >= hop_limit_ && !work_->outgoing.empty()) {
    work_->record->flags |= kHopLimited;
    work_->outgoing.clear();
    steps_.hop_limited(hop_limit_);
  }
  hand_over();
}

// To whoever asked; nobody waits for an answer to what was no question.
void Consumer::address_replies(Work& work) const {
  if (!spec_.replies()) return;
  std::erase_if(work.outgoing, [&](Outgoing& message) {
    if (!spec_.outputs[message.output].reply) return false;
    message.routing_key = work.reply_to;
    return work.reply_to.empty();
  });
}

// Its delivery was taken back with a lost connection: somebody will get it again.
bool Consumer::stale(const Work& work) const {
  return !spec_.consume.automatic() && work.connections != connections_lost_;
}

bool Consumer::hand_over() {
  Work& work = *work_;
  if (!stale(work)) {
    for (; work.handed_over < work.outgoing.size(); ++work.handed_over) {
      if (!channel_->writable()) return false;  // on_writable goes on from here
      const Outgoing& message = work.outgoing[work.handed_over];
      if (spec_.outputs[message.output].reply) {
        onward_->reply(work.stamp, message, work.correlation_id, run_.clock().now());
      } else {
        onward_->publish(work.stamp, message, work.record->done_ns, run_.clock().now());
      }
      steps_.published(work.outgoing[work.handed_over]);
    }
    const bool refused = work.refused != Settlement::kAcked;
    const Settlement settlement = refused       ? work.refused
                                  : work.undone ? Settlement::kRequeued
                                                : Settlement::kAcked;
    acks_.settle(*work.record, work.tag, settlement);
    steps_.settled(settlement);
  }
  work_.reset();
  return true;
}

void Consumer::publish_opening() {
  opening_.go_on([this] { return channel_->writable(); },
                 [this](const Outgoing& message) -> const PublishRecord& {
                   steps_.published(message);
                   const Nanoseconds now = run_.clock().now();
                   return onward_->publish({}, message, now, now);
                 });
}

void Consumer::on_writable() {
  run_.guard([this] {
    if (onward_) publish_opening();
    if (work_ && work_->effort_made && hand_over()) pump();
  });
}

void Consumer::stop() {
  if (std::exchange(stopping_, true)) return;
  poll_timer_.cancel();
  retry_timer_.cancel();
  const bool subscribed = channel_ != nullptr && !spec_.consume.get_ns && !tag_.empty();
  if (!subscribed) {
    cancelled_ = true;
    return check_drained();
  }
  channel_->cancel(tag_, [this](const amqp::Outcome&) {
    cancelled_ = true;
    run_.guard([this] { check_drained(); });
  });
}

void Consumer::check_drained() {
  if (!cancelled_ || drained_ || asking_ || in_hand() > 0) return;
  acks_.flush();
  if (onward_ && onward_->outstanding() > 0) return;
  drained_ = true;
  on_drained_();
}

void Consumer::close() {
  effort_.close();
  poll_timer_.close();
  retry_timer_.close();
  rate_timer_.close();
}

void Consumer::on_confirm(std::uint64_t number, bool multiple, bool acked) {
  if (!onward_) return;
  const std::size_t waiting_before = onward_->outstanding();
  onward_->on_confirm(number, multiple, acked, run_.clock().now());
  steps_.confirmed(acked, waiting_before - onward_->outstanding());
  run_.guard([this] { opening_.tell(); });
  check_drained();
}

void Consumer::on_undecided(std::uint64_t through, const amqp::AmqpError&) {
  if (!onward_) return;
  onward_->on_undecided(through);
  check_drained();
}

void Consumer::on_return(const amqp::Returned& returned) {
  steps_.returned(returned);
  if (onward_) onward_->on_return(returned);
}

}  // namespace brokerlab
