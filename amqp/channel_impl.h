#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "amqp/channel.h"
#include "amqp/consume_options.h"
#include "amqp/content_assembly.h"
#include "amqp/delivery_parser.h"
#include "amqp/link.h"
#include "amqp/method_codec.h"

namespace brokerlab::amqp {

// The state of a channel and its reactions to frames; no I/O. Its connection feeds it, and tells it of loss
// and restoration. Callbacks of users run from here, so nothing is touched after them that they may have
// changed.
class Channel::Impl {
 public:
  // `method` is null when there is an error.
  using Answer = std::function<void(const Outcome&, const Method* method)>;
  using Build = std::function<void(FrameWriter& writer, std::uint16_t channel, amqp_pool_t* pool)>;
  // For an answer that says nothing but that it was done.
  static Answer plain(Done done) {
    return [done = std::move(done)](const Outcome& outcome, const Method*) {
      if (done) done(outcome);
    };
  }

  Impl(Link& link, std::uint16_t number, ChannelListener* listener)
      : link(link), number(number), listener_(listener) {}

  // What users ask for.
  void request(std::uint32_t answer, Answer done, const Build& build);
  void get(const std::string& queue, bool auto_ack, GetDone done);
  void qos(std::uint16_t prefetch, bool global, Done done);
  void confirm_select(Done done);
  void tx_select(Done done);
  void tx_commit(Done done);
  void consume(const ConsumeOptions& options, DeliveryHandler& handler, ConsumeDone done);
  void cancel(const std::string& consumer_tag, Done done);
  std::uint64_t publish(PublishTemplate& message, const PublishStamp& stamp, std::span<const std::byte> body);
  bool writable();
  bool settle(std::uint32_t id, std::uint64_t delivery_tag, std::uint8_t bits);
  void close(Done done);
  void reopen(Done done);

  // What the connection tells. An error means that the peer broke the protocol.
  void open(Done done);
  void open_or_restore(Done done);
  void abandon(Done done);
  Outcome on_whole_delivery(const WholeDelivery& whole, Nanoseconds received_ns);
  Outcome on_frame(FrameType type, std::span<const std::byte> payload, Nanoseconds received_ns);
  void on_connection_lost(const AmqpError& reason);
  void on_connection_closing(const AmqpError& reason);
  void on_room();

  State state() const { return state_; }
  std::uint32_t epoch() const { return epoch_; }

  Link& link;
  const std::uint16_t number;

 private:
  struct Waiting {
    std::uint32_t answer;
    Answer done;
    GetDone got;  // of basic.get, instead of `done`
  };
  struct Consumer {
    ConsumeOptions options;
    DeliveryHandler* handler;
  };

  bool may_ask() const { return state_ == State::kOpen || state_ == State::kOpening; }
  AmqpError refusal() const;
  bool ask(Waiting waiting, const Build& build);
  void send_open(Done done);
  void restore(Done done);
  void send_qos(std::uint16_t prefetch, bool global, Done done);
  void send_confirm_select(Done done);
  void send_tx_select(Done done);
  void send_consume(const ConsumeOptions& options, ConsumeDone done);

  Outcome on_method(std::span<const std::byte> payload);
  Outcome on_answer(const Method& method);
  Outcome on_confirm(std::span<const std::byte> arguments, bool acked);
  Outcome on_content_complete(Nanoseconds received_ns);
  Outcome on_get_ok(const DeliverFields& fields, const ContentHeader& header, std::span<const std::byte> body,
                    Nanoseconds received_ns);
  void on_cancelled_by_broker(const Method& method);
  void on_closed_by_broker(const Method& method);
  void deliver(const DeliverFields& fields, const ContentHeader& header, std::span<const std::byte> body,
               Nanoseconds received_ns);
  void void_tags(const AmqpError& reason);
  void fail_waiting(const AmqpError& reason);
  std::unique_ptr<Consumer> take_consumer(std::string_view tag);

  ChannelListener* listener_;
  State state_ = State::kLost;
  std::uint32_t epoch_ = 0;
  bool ever_open_ = false;
  std::deque<Waiting> waiting_;  // in the order of the broker's answers

  std::uint64_t published_ = 0;     // the number of the last publish
  std::uint64_t confirm_base_ = 0;  // published_ when confirms were switched on: the broker counts from there
  bool confirming_ = false;
  bool transactional_ = false;
  std::uint64_t tag_base_ = 0;  // delivery tags up to here belong to lost connections
  std::uint64_t highest_tag_ = 0;
  std::map<bool, std::uint16_t> prefetch_;  // by global; what a restoration sets again
  std::vector<std::unique_ptr<Consumer>> consumers_;
  std::size_t last_consumer_ = 0;
  std::uint32_t next_consumer_ = 1;
  std::unique_ptr<ContentAssembly> assembly_;
  bool room_wanted_ = false;
};

}  // namespace brokerlab::amqp
