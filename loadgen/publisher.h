#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "amqp/channel.h"
#include "amqp/publish_template.h"
#include "amqp/recorded_connection.h"
#include "core/child_run.h"
#include "core/outstanding_publishes.h"
#include "loadgen/load_spec.h"
#include "loadgen/message_properties.h"
#include "loadgen/pacer.h"
#include "loadgen/payload.h"
#include "loadgen/replies.h"
#include "loadgen/routing_key.h"

namespace brokerlab {

// What the publishers of one process have sent so far.
struct PublishCounts {
  std::uint64_t published = 0, confirmed = 0, returned = 0, nacked = 0, unsettled = 0;
};

// One instance of a load: a channel of its own, a schedule, and the records of what became of its messages.
// It publishes when it is told to and never waits: whoever drives it asks due() and calls publish_next().
// Messages that could not go when they were due (window full, socket or broker not taking any) keep their
// intended times and go as soon as they can. One loop; lives within its ChildRun and must outlive its
// channel.
class Publisher final : public amqp::ChannelListener {
 public:
  struct Setup {
    const LoadSpec& spec;
    const Json& instance;    // of the assignment
    std::uint16_t position;  // in the assignment's instances
    std::uint64_t run;
    std::uint64_t seed;
    const RoutingKey::Routes& routes;
    Nanoseconds load_ns;
  };

  // `on_change` is called when a publisher that had to wait can go on, or when its last outcome is known; not
  // from within publish_next().
  Publisher(ChildRun& run, const Setup& setup, PublishCounts& counts,
            std::function<void(Publisher&)> on_change);

  void open(amqp::RecordedConnection& connection, std::function<void()> on_ready);
  // Intended times count from `t0_ns`.
  void start(Nanoseconds t0_ns);
  void stop();

  // When the next message is to go, as a time of the clock. Nothing: when there is none (any more), or when a
  // closed loop waits for a confirm.
  std::optional<Nanoseconds> due() const;
  // False when it has to wait: nothing was sent, and on_change will follow.
  bool publish_next();
  // When the last message was sent, as a time of the clock: spares whoever drives it a look at the clock.
  Nanoseconds last_sent() const { return last_sent_ns_; }
  // Nothing more to publish and nothing more to come: every outcome is known or will never be.
  bool finished() const;
  // Messages whose intended time has come by `now_ns`.
  std::uint64_t scheduled(Nanoseconds now_ns);
  // The connection is back.
  void restored();

  void on_confirm(std::uint64_t number, bool multiple, bool acked) override;
  void on_undecided(std::uint64_t through, const amqp::AmqpError& reason) override;
  void on_return(const amqp::Returned& returned) override;
  void on_writable() override { resume(); }
  void on_closed(const amqp::AmqpError& error) override;

 private:
  amqp::PublishTemplate make_template(const MessageContext& context);
  void commit();
  void prepare(amqp::Done answered);
  void advance();
  void ask_whether_taken();
  void settle(std::uint64_t number, bool multiple, std::uint8_t outcome);
  // Closed loop: settled messages make room for as many new ones, after the time to think.
  void release_slots(std::uint64_t settled, Nanoseconds now);
  void use_slot(bool until_settled, Nanoseconds now);
  void resume();

  ChildRun& run_;
  const LoadSpec& spec_;
  std::uint16_t position_;
  std::uint32_t publisher_;
  std::uint32_t instance_;
  std::uint64_t run_number_;
  PublishCounts& counts_;
  std::function<void(Publisher&)> on_change_;

  std::unique_ptr<Pacer> pacer_;  // null for a closed loop
  std::unique_ptr<Pacer::Cursor> cursor_;
  std::unique_ptr<Payload> payload_;
  MessageProperties properties_;
  RoutingKey routing_key_;
  amqp::PublishTemplate template_;
  OutstandingPublishes outstanding_;
  amqp::RecordedConnection* connection_ = nullptr;
  std::unique_ptr<Replies> replies_;  // null unless it asks for them
  amqp::Channel* channel_ = nullptr;

  Nanoseconds t0_ns_ = 0;
  Nanoseconds horizon_ns_;
  Nanoseconds start_delay_ns_;
  std::uint32_t uncommitted_ = 0;
  std::optional<Nanoseconds> next_ns_;  // intended, from t0
  struct Slots {
    Nanoseconds at_ns;  // when they may publish, from t0
    std::uint64_t count;
  };
  std::deque<Slots> slots_;  // closed loop: what of the window is free
  Nanoseconds last_sent_ns_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t number_offset_ = 1;  // publish number - sequence
  bool waiting_ = false;
  bool asked_ = false, taken_ = false;  // without confirms: whether the broker has all of them
  bool stopped_ = false;
  bool committing_ = false;
  Nanoseconds window_full_since_ns_ = 0;

  std::unique_ptr<Pacer::Cursor> count_cursor_;  // walks behind the clock while messages are late
  std::uint64_t counted_ = 0;
  std::optional<Nanoseconds> count_next_ns_;
};

}  // namespace brokerlab
