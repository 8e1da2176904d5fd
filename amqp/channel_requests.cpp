// The half of Channel::Impl that sends: what users and the connection ask for.
#include <fmt/format.h>

#include <algorithm>

#include "amqp/channel_impl.h"
#include "amqp/field_table.h"

namespace brokerlab::amqp {
namespace {

constexpr std::uint16_t kReplySuccess = 200;

AmqpError usage_error(const brokerlab::Error& error) {
  return AmqpError::make(ErrorKind::kUsage, error.summary(), error.remedy());
}

// Methods whose only fields are reserved ones.
template <typename Fields>
Channel::Impl::Build without_fields(amqp_method_number_t method) {
  return [method](FrameWriter& writer, std::uint16_t channel, amqp_pool_t*) {
    Fields fields{};
    writer.method(channel, method, &fields);
  };
}

// Counts the answers of a restoration down; reports once, with the first error.
class Countdown {
 public:
  Countdown(std::size_t answers, Done done) : left_(answers), done_(std::move(done)) {}
  void answer(const Outcome& outcome) {
    if (!outcome.ok() && first_.ok()) first_ = outcome;
    if (--left_ == 0) done_(first_);
  }

 private:
  std::size_t left_;
  Done done_;
  Outcome first_;
};

}  // namespace

AmqpError Channel::Impl::refusal() const {
  switch (state_) {
    case State::kLost:
      return AmqpError::make(ErrorKind::kUsage, "the connection is not open",
                             "wait until it is open or restored");
    case State::kClosing:
      return AmqpError::make(ErrorKind::kUsage, "the channel is closing", "");
    default:
      return AmqpError::make(ErrorKind::kUsage, "the channel is closed", "reopen it");
  }
}

bool Channel::Impl::ask(Waiting waiting, const Build& build) {
  Outcome refused;
  if (may_ask() || waiting.answer == AMQP_CHANNEL_OPEN_OK_METHOD) {
    Pool pool;
    try {
      build(link.writer, number, pool.get());
      waiting_.push_back(std::move(waiting));
      link.wrote();
      return true;
    } catch (const brokerlab::Error& error) {
      refused = usage_error(error);
    }
  } else {
    refused = refusal();
  }
  link.defer([waiting = std::move(waiting), refused] {
    if (waiting.got) {
      waiting.got(refused, nullptr, 0);
    } else {
      waiting.done(refused, nullptr);
    }
  });
  return false;
}

void Channel::Impl::request(std::uint32_t answer, Answer done, const Build& build) {
  ask({answer, std::move(done), nullptr}, build);
}

void Channel::Impl::get(const std::string& queue, bool auto_ack, GetDone done) {
  if (!done) done = [](const Outcome&, const Delivery*, std::uint32_t) {};
  ask({AMQP_BASIC_GET_EMPTY_METHOD, nullptr, std::move(done)},
      [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t*) {
        amqp_basic_get_t fields{};
        fields.queue = short_text(queue, "queue name");
        fields.no_ack = auto_ack;
        writer.method(channel, AMQP_BASIC_GET_METHOD, &fields);
      });
}

void Channel::Impl::send_open(Done done) {
  request(
      AMQP_CHANNEL_OPEN_OK_METHOD,
      [this, done = std::move(done)](const Outcome& outcome, const Method*) {
        if (outcome.ok() && state_ == State::kOpening) state_ = State::kOpen;
        if (outcome.ok()) ever_open_ = true;
        if (done) done(outcome);
      },
      [](FrameWriter& writer, std::uint16_t channel, amqp_pool_t*) {
        amqp_channel_open_t fields{};
        writer.method(channel, AMQP_CHANNEL_OPEN_METHOD, &fields);
      });
}

void Channel::Impl::open(Done done) {
  state_ = State::kOpening;
  send_open(std::move(done));
}

void Channel::Impl::reopen(Done done) {
  if (!done) done = [](const Outcome&) {};
  if (state_ != State::kClosed || !link.up) {
    link.defer([done, error = state_ == State::kClosed || state_ == State::kLost
                                  ? AmqpError::make(ErrorKind::kUsage, "the connection is not open", "")
                                  : AmqpError::make(ErrorKind::kUsage, "the channel is not closed",
                                                    "close it first")] { done(error); });
    return;
  }
  open(std::move(done));
}

void Channel::Impl::open_or_restore(Done done) {
  if (ever_open_) {
    restore(std::move(done));
  } else {
    open(std::move(done));
  }
}

void Channel::Impl::abandon(Done done) {
  listener_ = nullptr;
  consumers_.clear();
  for (auto& waiting : waiting_) {
    // Their answers must still be taken off the queue, but nobody wants them.
    if (waiting.got) {
      waiting.got = [](const Outcome&, const Delivery*, std::uint32_t) {};
    } else if (waiting.answer != AMQP_CHANNEL_OPEN_OK_METHOD) {
      waiting.done = [](const Outcome&, const Method*) {};
    }
  }
  close(std::move(done));
}

void Channel::Impl::restore(Done done) {
  ++epoch_;
  state_ = State::kOpening;
  const std::size_t answers =
      1 + prefetch_.size() + (confirming_ ? 1 : 0) + (transactional_ ? 1 : 0) + consumers_.size();
  auto countdown = std::make_shared<Countdown>(answers, std::move(done));
  const Done one = [countdown](const Outcome& outcome) { countdown->answer(outcome); };
  send_open(one);
  for (const auto& [global, prefetch] : prefetch_) send_qos(prefetch, global, one);
  if (confirming_) send_confirm_select(one);
  if (transactional_) send_tx_select(one);
  for (const auto& consumer : consumers_) {
    send_consume(consumer->options, [one](const Outcome& outcome, const std::string&) { one(outcome); });
  }
}

void Channel::Impl::qos(std::uint16_t prefetch, bool global, Done done) {
  if (may_ask()) prefetch_[global] = prefetch;
  send_qos(prefetch, global, std::move(done));
}

void Channel::Impl::send_qos(std::uint16_t prefetch, bool global, Done done) {
  request(AMQP_BASIC_QOS_OK_METHOD, plain(std::move(done)),
          [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t*) {
            amqp_basic_qos_t fields{};
            fields.prefetch_count = prefetch;
            fields.global = global;
            writer.method(channel, AMQP_BASIC_QOS_METHOD, &fields);
          });
}

void Channel::Impl::confirm_select(Done done) {
  // A second select changes nothing at the broker: it goes on counting from the first.
  if (may_ask() && !confirming_) {
    confirming_ = true;
    confirm_base_ = published_;
  }
  send_confirm_select(std::move(done));
}

void Channel::Impl::send_confirm_select(Done done) {
  request(AMQP_CONFIRM_SELECT_OK_METHOD, plain(std::move(done)),
          without_fields<amqp_confirm_select_t>(AMQP_CONFIRM_SELECT_METHOD));
}

void Channel::Impl::tx_select(Done done) {
  if (may_ask()) transactional_ = true;
  send_tx_select(std::move(done));
}

void Channel::Impl::send_tx_select(Done done) {
  request(AMQP_TX_SELECT_OK_METHOD, plain(std::move(done)),
          without_fields<amqp_tx_select_t>(AMQP_TX_SELECT_METHOD));
}

void Channel::Impl::tx_commit(Done done) {
  request(AMQP_TX_COMMIT_OK_METHOD, plain(std::move(done)),
          without_fields<amqp_tx_commit_t>(AMQP_TX_COMMIT_METHOD));
}

void Channel::Impl::consume(const ConsumeOptions& options, DeliveryHandler& handler, ConsumeDone done) {
  if (!done) done = [](const Outcome&, const std::string&) {};
  auto consumer = std::make_unique<Consumer>(Consumer{options, &handler});
  // Chosen by us, so that deliveries find their consumer even before consume-ok is read.
  if (options.consumer_tag.empty()) {
    consumer->options.consumer_tag = fmt::format("brokerlab-{}-{}", number, next_consumer_++);
  }
  const ConsumeOptions chosen = consumer->options;
  const bool taken = std::any_of(consumers_.begin(), consumers_.end(), [&](const auto& other) {
    return other->options.consumer_tag == chosen.consumer_tag;
  });
  if (taken) {
    link.defer([done = std::move(done), chosen] {
      done(AmqpError::make(ErrorKind::kUsage, "the channel has a consumer of that tag already",
                           "choose another tag"),
           chosen.consumer_tag);
    });
    return;
  }
  if (may_ask()) consumers_.push_back(std::move(consumer));
  send_consume(chosen, std::move(done));
}

void Channel::Impl::send_consume(const ConsumeOptions& options, ConsumeDone done) {
  request(
      AMQP_BASIC_CONSUME_OK_METHOD,
      [this, tag = options.consumer_tag, done = std::move(done)](const Outcome& outcome, const Method*) {
        if (!outcome.ok() && outcome.error().kind == ErrorKind::kUsage) take_consumer(tag);  // never sent
        done(outcome, tag);
      },
      [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t* pool) {
        amqp_basic_consume_t fields{};
        fields.queue = short_text(options.queue, "queue name");
        fields.consumer_tag = short_text(options.consumer_tag, "consumer tag");
        fields.no_local = options.no_local;
        fields.no_ack = options.auto_ack;
        fields.exclusive = options.exclusive;
        fields.arguments = FieldTable::to_wire(options.arguments, pool);
        writer.method(channel, AMQP_BASIC_CONSUME_METHOD, &fields);
      });
}

void Channel::Impl::cancel(const std::string& consumer_tag, Done done) {
  request(
      AMQP_BASIC_CANCEL_OK_METHOD,
      [this, consumer_tag, done = std::move(done)](const Outcome& outcome, const Method*) {
        // Deliveries on their way arrive before cancel-ok, so the consumer stays until then.
        if (outcome.ok()) take_consumer(consumer_tag);
        if (done) done(outcome);
      },
      [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t*) {
        amqp_basic_cancel_t fields{};
        fields.consumer_tag = short_text(consumer_tag, "consumer tag");
        writer.method(channel, AMQP_BASIC_CANCEL_METHOD, &fields);
      });
}

std::uint64_t Channel::Impl::publish(PublishTemplate& message, const PublishStamp& stamp,
                                     std::span<const std::byte> body) {
  if (state_ != State::kOpen) return 0;
  link.writer.publish(number, message, stamp, body);
  link.wrote();
  return ++published_;
}

bool Channel::Impl::writable() {
  if (state_ == State::kOpen && !link.blocked && link.has_room()) return true;
  room_wanted_ = true;
  link.expect_room();
  return false;
}

bool Channel::Impl::settle(std::uint32_t id, std::uint64_t delivery_tag, std::uint8_t bits) {
  if (state_ != State::kOpen || delivery_tag <= tag_base_) return false;
  link.writer.settle(number, id, delivery_tag - tag_base_, bits);
  link.wrote();
  return true;
}

void Channel::Impl::close(Done done) {
  if (!done) done = [](const Outcome&) {};
  if (!may_ask()) {
    link.defer([done = std::move(done), closed = state_ == State::kClosed, error = refusal()] {
      done(closed ? Outcome() : Outcome(error));
    });
    return;
  }
  request(
      AMQP_CHANNEL_CLOSE_OK_METHOD,
      [this, done = std::move(done)](const Outcome& outcome, const Method*) {
        if (outcome.ok()) {
          state_ = State::kClosed;
          void_tags(AmqpError::make(ErrorKind::kUsage, "the channel was closed", ""));
        }
        done(outcome);
      },
      [](FrameWriter& writer, std::uint16_t channel, amqp_pool_t*) {
        amqp_channel_close_t fields{};
        fields.reply_code = kReplySuccess;
        fields.reply_text = to_wire_bytes("done");
        writer.method(channel, AMQP_CHANNEL_CLOSE_METHOD, &fields);
      });
  state_ = State::kClosing;
}

}  // namespace brokerlab::amqp
