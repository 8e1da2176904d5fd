#include "loadgen/publisher.h"

#include <algorithm>
#include <utility>

#include "amqp/properties.h"
#include "core/shown_text.h"
#include "core/stamp.h"

namespace brokerlab {
namespace {

// Without confirms only a return tells of a publish, and it comes soon or never.
constexpr std::size_t kReturnsExpectedAmong = 1 << 17;

}  // namespace

Publisher::Publisher(ChildRun& run, const Setup& setup, PublishCounts& counts,
                     std::function<void(Publisher&)> on_change)
    : run_(run),
      spec_(setup.spec),
      position_(setup.position),
      publisher_(setup.instance.at("publisher").get<std::uint32_t>()),
      instance_(setup.instance.at("index").get<std::uint32_t>()),
      run_number_(setup.run),
      counts_(counts),
      on_change_(std::move(on_change)),
      pacer_(Pacer::make(setup.spec, setup.seed, instance_)),
      cursor_(pacer_ ? pacer_->cursor() : nullptr),
      payload_(Payload::make(setup.spec, setup.seed, instance_)),
      properties_(setup.spec, payload_->content_type(), setup.seed, instance_),
      routing_key_(setup.spec, setup.routes, setup.seed, instance_),
      template_(make_template({0, publisher_, instance_, 0})),
      outstanding_(setup.spec.settles() ? 0 : kReturnsExpectedAmong),
      horizon_ns_(setup.spec.horizon_ns(setup.load_ns)),
      start_delay_ns_(setup.spec.start_delay_ns(setup.seed, instance_)) {
  if (!spec_.replies) return;
  replies_ = std::make_unique<Replies>(run_, Replies::Asker{run_number_, publisher_, instance_}, [this] {
    if (finished()) on_change_(*this);
  });
}

amqp::PublishTemplate Publisher::make_template(const MessageContext& context) {
  Stamp stamp;
  stamp.run = run_number_;
  stamp.publisher = publisher_;
  stamp.verified = spec_.verify;
  const std::string key = spec_.routing_key.is_string() ? spec_.routing_key.get<std::string>() : "";
  return {{spec_.exchange, key, spec_.mandatory}, properties_.next(context), stamp};
}

void Publisher::open(amqp::RecordedConnection& connection, std::function<void()> on_ready) {
  const auto answered = [this, on_ready = std::move(on_ready)](const amqp::Outcome& outcome) {
    run_.guard([&] {
      if (!outcome) return run_.fail(outcome.error().to_error("load " + spec_.name));
      on_ready();
    });
  };
  connection_ = &connection;
  if (!spec_.settles() && !replies_) {
    channel_ = &connection.connection().open_channel(this, answered);
    return;
  }
  channel_ = &connection.connection().open_channel(this);
  prepare(answered);
}

// Answers come in the order of the questions: the last one tells that all is as it should be, for an error
// closes the channel.
void Publisher::prepare(amqp::Done answered) {
  if (replies_) {
    amqp::Done subscribed = spec_.settles() ? [](const amqp::Outcome&) {} : answered;
    replies_->open(*channel_, std::move(subscribed));
  }
  if (spec_.transaction > 0) {
    channel_->tx_select(std::move(answered));
  } else if (spec_.confirms) {
    channel_->confirm_select(std::move(answered));
  }
}

void Publisher::restored() {
  if (replies_) replies_->forget();
  resume();
  if (replies_ && finished()) on_change_(*this);
}

void Publisher::start(Nanoseconds t0_ns) {
  t0_ns_ = t0_ns;
  if (!pacer_) slots_.push_back({start_delay_ns_, spec_.settles() ? spec_.window : 1});
  advance();
}

// Fetches the time of message `sequence_`.
void Publisher::advance() {
  next_ns_.reset();
  if (!spec_.stop_count || sequence_ < *spec_.stop_count) {
    if (pacer_) {
      next_ns_ = cursor_->next();
    } else if (!slots_.empty()) {
      next_ns_ = slots_.front().at_ns;
    }
  }
  if (next_ns_ && *next_ns_ >= horizon_ns_) next_ns_.reset();
  if (!next_ns_) ask_whether_taken();
}

// Without confirms nothing tells when the broker has a message, and the last ones may still be on their way
// to their queues when the load believes it is done. A channel works off in order, so that the answer to a
// request behind them does.
void Publisher::ask_whether_taken() {
  if (spec_.settles() || std::exchange(asked_, true)) return;
  channel_->qos(0, false, [this](const amqp::Outcome&) {  // refused or lost: nobody will ever tell
    taken_ = true;
    waiting_ = true;
    resume();
  });
}

void Publisher::stop() {
  scheduled(run_.clock().now());  // what is due and was not sent stays visible
  next_ns_.reset();
  slots_.clear();
  commit();
  ask_whether_taken();
  stopped_ = true;
  if (waiting_) resume();
}

std::optional<Nanoseconds> Publisher::due() const {
  return next_ns_ ? std::optional(t0_ns_ + *next_ns_) : std::nullopt;
}

bool Publisher::finished() const {
  const bool answered = !replies_ || stopped_ || replies_->waiting() == 0;
  return !next_ns_ && answered && (spec_.settles() ? outstanding_.size() == 0 : taken_);
}

bool Publisher::publish_next() {
  const bool full = spec_.settles() && outstanding_.size() >= spec_.window;
  if (full && window_full_since_ns_ == 0) window_full_since_ns_ = run_.clock().now();
  if (full || committing_ || !channel_->writable()) {
    waiting_ = true;
    return false;
  }
  const MessageContext context{sequence_, publisher_, instance_, *next_ns_};
  const std::string_view body = payload_->next(context);
  const RoutingKey::Choice key = routing_key_.next(context, body);
  if (!properties_.fixed()) template_ = make_template(context);
  template_.set_routing_key(key.key);
  const Nanoseconds sent_ns = last_sent_ns_ = run_.clock().now();
  const Nanoseconds intended_ns = pacer_ ? t0_ns_ + *next_ns_ : sent_ns;
  const std::uint8_t outcome = spec_.settles() ? 0 : kUnconfirmedByDesign;
  PublishRecord& record = run_.recording().append_publish(
      {intended_ns, sent_ns, 0, static_cast<std::uint32_t>(sequence_), position_, key.route, outcome});
  const std::uint64_t number =
      connection_->publish(*channel_, template_, {sequence_, intended_ns, sent_ns}, body, record);
  if (number == 0) {
    record.outcome = kRefused;
    record.settled_ns = sent_ns;
  } else {
    if (run_.says()) {
      run_.say("published to " + shown_target(spec_.exchange, key.key) + ": " + shown_body(body));
    }
    number_offset_ = number - sequence_;
    outstanding_.add(number, record);
    if (replies_) replies_->asked(sequence_, intended_ns, sent_ns);
    counts_.unsettled += spec_.settles() ? 1 : 0;
    ++uncommitted_;
  }
  ++counts_.published;
  ++sequence_;
  if (!pacer_) {
    use_slot(number != 0 && spec_.settles(), sent_ns);
  }
  advance();
  const bool last =
      !next_ns_ || outstanding_.size() >= spec_.window;  // nothing follows that could fill it up
  if (uncommitted_ >= spec_.transaction || last) commit();
  return true;
}

// The broker answers when all messages of the transaction are where they belong, and takes no other on the
// channel until then.
void Publisher::commit() {
  if (spec_.transaction == 0 || uncommitted_ == 0 || channel_ == nullptr) return;
  uncommitted_ = 0;
  committing_ = true;
  channel_->tx_commit([this, through = sequence_ - 1 + number_offset_](const amqp::Outcome& outcome) {
    committing_ = false;
    run_.guard([&] {
      if (outcome.ok()) settle(through, true, kConfirmed);
      resume();
    });
  });
}

void Publisher::resume() {
  if (!std::exchange(waiting_, false)) return;
  if (const Nanoseconds since = std::exchange(window_full_since_ns_, 0); since != 0 && pacer_) {
    const Nanoseconds now = run_.clock().now();
    run_.guard(
        [&] { run_.events().interval(EventKind::kConfirmWindowHit, position_, since, now, now - since); });
  }
  on_change_(*this);
}

void Publisher::release_slots(std::uint64_t settled, Nanoseconds now) {
  if (pacer_) return;
  const auto* closed = std::get_if<ClosedArrivals>(&spec_.arrivals);
  slots_.push_back({now - t0_ns_ + closed->think_ns, settled});
}

// One that nobody will settle is free again at once.
void Publisher::use_slot(bool until_settled, Nanoseconds now) {
  if (--slots_.front().count == 0) slots_.pop_front();
  if (!until_settled) release_slots(1, now);
}

void Publisher::settle(std::uint64_t number, bool multiple, std::uint8_t outcome) {
  const Nanoseconds now = run_.clock().now();
  std::uint64_t settled = 0;
  outstanding_.settle(number, multiple, [&](PublishRecord& record) {
    ++settled;
    if (outcome == 0) return;
    record.settled_ns = now;
    record.outcome |= outcome;
  });
  counts_.unsettled -= settled;
  counts_.confirmed += outcome == kConfirmed ? settled : 0;
  counts_.nacked += outcome == kNacked ? settled : 0;
  if (settled == 0) return;
  if (run_.says() && outcome != 0) {
    const std::string messages = settled == 1 ? "" : ": " + std::to_string(settled) + " messages";
    run_.say((outcome == kConfirmed ? "confirmed by the broker" : "refused by the broker") + messages);
  }
  const bool idle = !next_ns_;
  release_slots(settled, now);
  if (idle && !pacer_) advance();
  waiting_ |= idle && (!pacer_ || finished());
  resume();
}

void Publisher::on_confirm(std::uint64_t number, bool multiple, bool acked) {
  settle(number, multiple, acked ? kConfirmed : kNacked);
}

void Publisher::on_undecided(std::uint64_t through, const amqp::AmqpError&) { settle(through, true, 0); }

void Publisher::on_return(const amqp::Returned& returned) {
  const std::optional<Stamp> stamp = returned.stamp();
  if (!stamp || stamp->run != run_number_ || stamp->publisher != publisher_) return;
  PublishRecord* record = outstanding_.find(stamp->sequence + number_offset_);
  if (record == nullptr || record->sequence != static_cast<std::uint32_t>(stamp->sequence)) return;
  if (run_.says()) {
    run_.say("returned, nothing takes it: " + shown_target(returned.exchange, returned.routing_key));
  }
  counts_.returned += (record->outcome & kReturned) == 0;
  record->outcome |= kReturned;
}

void Publisher::on_closed(const amqp::AmqpError& error) {
  run_.guard(
      [&] { run_.events().moment(EventKind::kChannelError, position_, run_.clock().now(), error.code); });
  run_.fail(error.to_error("load " + spec_.name));
}

std::uint64_t Publisher::scheduled(Nanoseconds now_ns) {
  const Nanoseconds elapsed = std::min(now_ns - t0_ns_ + 1, horizon_ns_);
  const bool behind = pacer_ && next_ns_ && *next_ns_ < elapsed;
  if (!behind) return std::max(sequence_, counted_);
  if (!count_cursor_) {
    count_cursor_ = pacer_->cursor();
    count_next_ns_ = count_cursor_->next();
  }
  const std::uint64_t most = spec_.stop_count.value_or(UINT64_MAX);
  while (count_next_ns_ && *count_next_ns_ < elapsed && counted_ < most) {
    ++counted_;
    count_next_ns_ = count_cursor_->next();
  }
  return std::max(sequence_, counted_);
}

}  // namespace brokerlab
