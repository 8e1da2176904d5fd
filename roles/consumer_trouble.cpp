// The half of Consumer that meets trouble: lost connections, a consumer that the broker cancels, a channel it
// closes.
#include <utility>

#include "roles/consumer.h"

namespace brokerlab {
namespace {

// As patient as a lost connection: a private node takes some 11 s to come back.
constexpr int kMostRetries = 120;
constexpr Nanoseconds kRetryDelay = 500'000'000;

constexpr std::uint16_t kNotFound = 404;
constexpr std::uint16_t kPreconditionFailed = 406;

// What passes by itself: the node of a classic queue is away, or we were too slow to acknowledge. A queue
// that does not exist any more is none of it.
bool may_pass(const amqp::AmqpError& error) {
  const auto says = [&](const char* words) { return error.text.find(words) != std::string::npos; };
  if (error.code == kNotFound) {
    return says("home node") || says("is down or inaccessible") || says("process is stopped by supervisor");
  }
  return error.code == kPreconditionFailed && says("delivery acknowledgement");
}

}  // namespace

void Consumer::connection_lost() {
  forget_deliveries();
  check_drained();
}

// They belong to nobody now; with automatic acknowledgement they belong to us.
void Consumer::forget_deliveries() {
  ++connections_lost_;
  acks_.forget();
  if (spec_.consume.automatic()) return;
  waiting_.clear();
  if (work_ && work_->effort_made) work_.reset();
}

void Consumer::restored() {
  run_.guard([this] { opening_.begin(); });
  on_writable();
}

void Consumer::on_cancelled(const amqp::AmqpError& reason) {
  if (reason.method != "basic.cancel") return;  // the channel is closed, too: on_closed follows
  run_.guard([&] {
    note_trouble(EventKind::kConsumerCancelled, reason);
    run_.pipe().notice(name() + ": " + reason.describe(), true);
    subscribe_later(reason);
  });
}

void Consumer::on_closed(const amqp::AmqpError& error) {
  run_.guard([&] {
    note_trouble(EventKind::kChannelError, error);
    forget_deliveries();
    if (!may_pass(error)) {
      run_.pipe().notice(name() + ": the broker has closed the channel: " + error.describe(), true);
      return run_.fail(error.to_error(name()));
    }
    if (retries_ == 0) {
      run_.pipe().notice(name() + ": the broker has closed the channel, trying again: " + error.describe(),
                         true);
    }
    subscribe_later(error);
    check_drained();
  });
}

// From the first sign until the consumer is back.
void Consumer::note_trouble(EventKind kind, const amqp::AmqpError& error) {
  if (trouble_event_ == nullptr) {
    trouble_event_ = &run_.events().begin(kind, position_, run_.clock().now(), error.code);
  }
}

void Consumer::subscribe_later(const amqp::AmqpError& reason) {
  if (stopping_) return;
  if (++retries_ > kMostRetries) return run_.fail(reason.to_error(name()));
  // At once the first time: a queue that was deleted is to be told soon.
  retry_timer_.set(run_.clock().now() + (retries_ == 1 ? 0 : kRetryDelay));
}

// An outcome that closes the channel is on_closed's business; here comes what was never sent, for want of a
// connection.
bool Consumer::went_well(const amqp::Outcome& outcome) {
  if (outcome) return true;
  if (outcome.error().kind == amqp::ErrorKind::kUsage) subscribe_later(outcome.error());
  return false;
}

void Consumer::subscribe_again() {
  if (stopping_ || channel_ == nullptr) return;
  if (channel_->state() != amqp::Channel::State::kClosed) return consume_again();
  channel_->reopen([this](const amqp::Outcome& opened) {
    run_.guard([&] {
      if (!went_well(opened)) return;
      if (onward_) channel_->confirm_select(nullptr);
      channel_->qos(spec_.consume.prefetch, false, nullptr);
      consume_again();
    });
  });
}

void Consumer::consume_again() {
  if (spec_.consume.get_ns) return back_again();
  channel_->consume(consume_options(), *this, [this](const amqp::Outcome& outcome, const std::string&) {
    run_.guard([&] {
      if (went_well(outcome)) back_again();
    });
  });
}

void Consumer::back_again() {
  const Nanoseconds now = run_.clock().now();
  if (trouble_event_ != nullptr) std::exchange(trouble_event_, nullptr)->ended_ns = now;
  retries_ = 0;
  run_.events().moment(EventKind::kConsuming, position_, now);
  run_.pipe().notice(name() + ": consumes again");
  restored();
}

}  // namespace brokerlab
