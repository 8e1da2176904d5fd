#include "amqp/consume_options.h"
#include "amqp/declaration.h"
#include "amqp/properties.h"
#include "scripted_connection.h"

namespace brokerlab::amqp {
namespace {

TEST_F(ScriptedConnection, DeliveriesArriveHoweverTheyAreCut) {
  for (const std::size_t at_once : {1U, 3U, 7U, 64U, 4096U}) {
    ready_ = false;
    become_open();
    auto& channel = open_channel();
    Listening consumer;
    ConsumeOptions options;
    options.queue = "q";
    options.consumer_tag = "tag";
    channel.consume(options, consumer, nullptr);
    const std::string large(5000, 'L');
    const auto header = Wire().u16(60).u16(0).u64(large.size()).u16(0).bytes();
    const auto split =
        frame(1, 1,
              Wire().u16(60).u16(60).short_text("tag").u64(3).u8(0).short_text("").short_text("q").bytes()) +
        frame(2, 1, header) + frame(3, 1, Wire().raw(large.substr(0, 2000)).bytes()) + frame(8, 0, {}) +
        frame(3, 1, Wire().raw(large.substr(2000)).bytes());
    script_.say(consume_ok(1, "tag") + delivery(1, "tag", 1, "one") + delivery(1, "tag", 2, "") + split +
                    delivery(1, "tag", 4, "four"),
                at_once);
    EXPECT_EQ(consumer.bodies, (std::vector<std::string>{"one", "", large, "four"})) << at_once;
    EXPECT_EQ(connection_->counters().messages_in, 4);
    connection_.reset();
  }
}

TEST_F(ScriptedConnection, MessagesOfDifferentChannelsMayInterleave) {
  become_open();
  auto& first = open_channel();
  auto& second = open_channel();
  Listening a, b;
  ConsumeOptions options;
  options.queue = "q";
  options.consumer_tag = "t";
  first.consume(options, a, nullptr);
  second.consume(options, b, nullptr);
  script_.say(consume_ok(1, "t") + consume_ok(2, "t"));
  const auto method = [](unsigned tag) {
    return Wire().u16(60).u16(60).short_text("t").u64(tag).u8(0).short_text("").short_text("q").bytes();
  };
  const auto header = Wire().u16(60).u16(0).u64(2).u16(0).bytes();
  script_.say(frame(1, 1, method(1)) + frame(1, 2, method(1)) + frame(2, 1, header) + frame(2, 2, header) +
              frame(3, 2, Wire().raw("b").bytes()) + frame(3, 1, Wire().raw("aa").bytes()) +
              frame(3, 2, Wire().raw("b").bytes()));
  EXPECT_EQ(a.bodies, std::vector<std::string>{"aa"});
  EXPECT_EQ(b.bodies, std::vector<std::string>{"bb"});
}

TEST_F(ScriptedConnection, BrokenTrafficEndsTheConnection) {
  const std::vector<Bytes> attacks{
      delivery(1, "t", 1, "x").size() ? frame(2, 1, Wire().u16(60).u16(0).u64(1).u16(0).bytes())
                                      : Bytes{},                                  // header without method
      frame(3, 1, Wire().raw("x").bytes()),                                       // body without header
      frame(1, 1, Wire().u16(60).bytes()),                                        // half a method id
      frame(1, 1, Wire().u16(60).u16(80).bytes()),                                // ack without a tag
      frame(1, 1, Wire().u16(60).u16(80).u64(1).u8(0).bytes()),                   // confirm never asked for
      frame(1, 1, Wire().u16(50).u16(11).short_text("q").u32(0).u32(0).bytes()),  // an answer to nothing
      frame(1, 1, Wire().u16(60).u16(71).u64(1).u8(0).short_text("").short_text("q").u32(0).bytes()) +
          frame(2, 1, Wire().u16(60).u16(0).u64(0).u16(0).bytes()),  // get-ok nobody asked for
      frame(1, 1,
            Wire().u16(60).u16(60).short_text("t").u64(1).u8(0).short_text("").short_text("q").bytes()) +
          frame(1, 1, Wire().u16(60).u16(31).short_text("t").bytes()),  // a method within a message
      frame(1, 1, Wire().u16(60).u16(60).u8(200).u64(1).bytes()) +
          frame(2, 1, Wire().u16(60).u16(0).u64(0).u16(0).bytes()),
      frame(8, 1, {}),
      frame(1, 0, Wire().u16(10).u16(51).bytes()),
      frame(3, 1, Bytes(8185, std::byte{0})),  // beyond the agreed 8192
  };
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    ready_ = false;
    ended_.reset();
    become_open();
    open_channel();
    script_.say(attacks[i]);
    turn();
    ASSERT_TRUE(ended_.has_value()) << i;
    EXPECT_EQ(ended_->kind, ErrorKind::kNotAmqp) << i;
    connection_.reset();
  }
}

TEST_F(ScriptedConnection, ConfirmsBeyondWhatWasPublishedAreRefused) {
  become_open();
  Listening listener;
  auto& channel = open_channel(&listener);
  channel.confirm_select(nullptr);
  script_.say(frame(1, 1, Wire().u16(85).u16(11).bytes()));
  PublishTemplate message({"", "q", true}, {}, std::nullopt);
  EXPECT_EQ(channel.publish(message, {}, {}), 1U);
  EXPECT_EQ(channel.publish(message, {}, {}), 2U);
  script_.say(frame(1, 1, Wire().u16(60).u16(80).u64(2).u8(1).bytes()));
  EXPECT_EQ(listener.confirms, (std::vector<std::pair<std::uint64_t, bool>>{{2, true}}));
  script_.say(frame(1, 1, Wire().u16(60).u16(80).u64(3).u8(0).bytes()));
  turn();
  EXPECT_TRUE(ended_.has_value());
  EXPECT_EQ(listener.undecided, 2U);
}

TEST_F(ScriptedConnection, AHandlerMayCloseTheConnectionFromADelivery) {
  become_open();
  auto& channel = open_channel();
  Listening consumer;
  ConsumeOptions options;
  options.queue = "q";
  options.consumer_tag = "t";
  channel.consume(options, consumer, nullptr);
  bool closed = false;
  consumer.react = [&](const Delivery& message) {
    channel.ack(message.tag);
    connection_->close([&] { closed = true; });
  };
  script_.say(consume_ok(1, "t") + delivery(1, "t", 1, "one") + delivery(1, "t", 2, "two") +
              frame(1, 0, Wire().u16(10).u16(51).bytes()));
  turn();
  EXPECT_EQ(consumer.bodies, std::vector<std::string>{"one"});
  EXPECT_TRUE(closed);
}

TEST_F(ScriptedConnection, OutputIsTakenBlockByBlock) {
  become_open();
  auto& channel = open_channel();
  turn();
  std::vector<std::uint64_t> taken;
  connection_->events().on_block_taken = [&](std::uint64_t block) { taken.push_back(block); };
  PublishTemplate message({"", "q", true}, {}, std::nullopt);
  const std::uint64_t first = connection_->output_block();
  channel.publish(message, {}, {});
  channel.publish(message, {}, {});
  EXPECT_EQ(connection_->output_block(), first) << "both leave together";
  turn();
  EXPECT_EQ(taken, std::vector{first});
  // The socket is full: the next block waits, and the one behind it too.
  script_.takes_writes = false;
  channel.publish(message, {}, {});
  turn();
  channel.publish(message, {}, {});
  turn();
  EXPECT_EQ(connection_->output_block(), first + 2);
  EXPECT_EQ(taken, std::vector{first});
  script_.listener->on_written();
  EXPECT_EQ(taken, (std::vector{first, first + 1}));
  EXPECT_EQ(connection_->output_block(), first + 3);
  script_.listener->on_written();
  EXPECT_EQ(taken, (std::vector{first, first + 1, first + 2}));
  // A large message leaves from within the call.
  script_.takes_writes = true;
  const Bytes large(100'000, std::byte{1});
  channel.publish(message, {}, large);
  EXPECT_EQ(taken.back(), first + 3);
}

TEST_F(ScriptedConnection, ASlowPeerBoundsMemoryAndIsAnnounced) {
  ConnectionOptions options;
  options.output_limit_bytes = 100'000;
  become_open(options);
  Listening listener;
  auto& channel = open_channel(&listener);
  script_.takes_writes = false;
  PublishTemplate message({"", "q", true}, {}, std::nullopt);
  const Bytes body(1000, std::byte{'b'});
  int sent = 0;
  while (channel.writable() && sent < 10'000) channel.publish(message, {}, body), ++sent;
  EXPECT_LT(sent, 200);
  EXPECT_LT(connection_->output_bytes(), 102'000U);
  EXPECT_TRUE(connection_->write_blocked());
  EXPECT_EQ(listener.writable, 0);
  script_.takes_writes = true;
  script_.listener->on_written();
  EXPECT_EQ(listener.writable, 1);
  EXPECT_TRUE(channel.writable());
  EXPECT_EQ(connection_->output_bytes(), 0U);
}

TEST_F(ScriptedConnection, RetriesAsOftenAsAllowedAndRestores) {
  ConnectionOptions options;
  options.reconnect = {2, 1'000'000};
  begin(options);
  int tries = 0;
  bool restored = false;
  connection_->events().on_retry = [&](int, int, const AmqpError&) { ++tries; };
  connection_->events().on_restored = [&] { restored = true; };
  script_.listener->on_transport_ready();
  script_.hang_up();
  EXPECT_EQ(tries, 1);
  for (int i = 0; i < 1000 && script_.listener == nullptr; ++i) uv_run(&loop_, UV_RUN_ONCE);
  script_.listener->on_transport_ready();
  script_.say(start() + tune() + open_ok());
  ASSERT_TRUE(ready_);
  Listening consumer;
  auto& channel = open_channel(&consumer);
  ConsumeOptions consume;
  consume.queue = "q";
  consume.consumer_tag = "t";
  channel.consume(consume, consumer, nullptr);
  script_.say(consume_ok(1, "t") + delivery(1, "t", 9, "one"));
  script_.hang_up();
  EXPECT_EQ(channel.state(), Channel::State::kLost);
  EXPECT_FALSE(channel.ack(9));
  for (int i = 0; i < 1000 && script_.listener == nullptr; ++i) uv_run(&loop_, UV_RUN_ONCE);
  script_.listener->on_transport_ready();
  script_.say(start() + tune() + open_ok());
  turn();
  script_.say(channel_open_ok(1) + consume_ok(1, "t"));
  EXPECT_TRUE(restored);
  script_.written.clear();
  std::uint64_t tag = 0;
  consumer.react = [&](const Delivery& message) { tag = message.tag; };
  script_.say(delivery(1, "t", 1, "two"));
  EXPECT_EQ(tag, 10U) << "tags go on counting";
  EXPECT_TRUE(channel.ack(tag));
  turn();
  EXPECT_EQ(script_.written, frame(1, 1, Wire().u16(60).u16(80).u64(1).u8(0).bytes()))
      << "the broker's own number";
  EXPECT_EQ(channel.epoch(), 1U);
}

TEST_F(ScriptedConnection, ChannelCloseAnswersEverythingThatWaited) {
  become_open();
  Listening listener;
  auto& channel = open_channel(&listener);
  int failed = 0;
  QueueDeclaration queue;
  queue.name = "a";
  for (int i = 0; i < 3; ++i) {
    channel.declare(queue,
                    [&](const Outcome& outcome, const QueueStatus&) { failed += outcome.ok() ? 0 : 1; });
  }
  channel.get("a", true, [&](const Outcome& outcome, const Delivery*, std::uint32_t) {
    failed += outcome.ok() ? 0 : 1;
  });
  turn();
  script_.written.clear();
  script_.say(frame(1, 1,
                    Wire()
                        .u16(20)
                        .u16(40)
                        .u16(404)
                        .short_text("NOT_FOUND - no queue 'a' in vhost '/'")
                        .u16(50)
                        .u16(10)
                        .bytes()));
  turn();
  EXPECT_EQ(failed, 4);
  EXPECT_EQ(listener.closed->code, 404);
  EXPECT_EQ(listener.closed->method, "queue.declare");
  EXPECT_EQ(script_.written, frame(1, 1, Wire().u16(20).u16(41).bytes()));
}

}  // namespace
}  // namespace brokerlab::amqp
