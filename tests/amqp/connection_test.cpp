// The connection over a scripted transport: what a hostile, broken or silent peer can do.
#include "amqp/connection.h"

#include <gtest/gtest.h>
#include <uv.h>

#include <functional>
#include <optional>

#include "amqp/consume_options.h"
#include "amqp/declaration.h"
#include "amqp/properties.h"
#include "amqp/transport.h"
#include "wire_bytes.h"

namespace brokerlab::amqp {
namespace {

// Plays the peer: records what is written, says what the test makes it say.
struct Script {
  Transport::Listener* listener = nullptr;
  Bytes written;
  bool takes_writes = true;
  int closes = 0;

  void say(const Bytes& bytes, std::size_t at_once = 4096) {
    for (std::size_t at = 0; at < bytes.size() && listener != nullptr;) {
      const auto space = listener->read_space();
      const std::size_t part = std::min({at_once, bytes.size() - at, space.size()});
      ASSERT_GT(part, 0U);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), part, space.begin());
      at += part;
      listener->on_bytes(part);
    }
  }
  void hang_up() {
    if (auto* hearer = std::exchange(listener, nullptr)) {
      hearer->on_transport_closed(
          AmqpError::make(ErrorKind::kUnreachable, "the peer closed the connection", ""));
    }
  }
};

class ScriptedTransport : public Transport {
 public:
  explicit ScriptedTransport(Script& script) : script_(script) {}
  void connect(Listener& listener) override { script_.listener = &listener; }
  bool write(std::span<const std::byte> bytes) override {
    script_.written.insert(script_.written.end(), bytes.begin(), bytes.end());
    return script_.takes_writes;
  }
  void close() override {
    script_.listener = nullptr;
    ++script_.closes;
  }

 private:
  Script& script_;
};

Bytes start() {
  return frame(
      1, 0, Wire().u16(10).u16(10).u8(0).u8(9).u32(0).long_text("PLAIN AMQPLAIN").long_text("en_US").bytes());
}
Bytes tune(unsigned channels = 10, unsigned frame_max = 8192, unsigned heartbeat = 0) {
  return frame(1, 0, Wire().u16(10).u16(30).u16(channels).u32(frame_max).u16(heartbeat).bytes());
}
Bytes open_ok() { return frame(1, 0, Wire().u16(10).u16(41).short_text("").bytes()); }
Bytes channel_open_ok(int channel) { return frame(1, channel, Wire().u16(20).u16(11).long_text("").bytes()); }
Bytes consume_ok(int channel, const std::string& tag) {
  return frame(1, channel, Wire().u16(60).u16(21).short_text(tag).bytes());
}
Bytes delivery(int channel, const std::string& tag, unsigned number, std::string_view body) {
  const auto method =
      Wire().u16(60).u16(60).short_text(tag).u64(number).u8(0).short_text("").short_text("q").bytes();
  auto bytes =
      frame(1, channel, method) + frame(2, channel, Wire().u16(60).u16(0).u64(body.size()).u16(0).bytes());
  return body.empty() ? bytes : bytes + frame(3, channel, Wire().raw(body).bytes());
}

class ScriptedConnection : public testing::Test {
 protected:
  ScriptedConnection() { uv_loop_init(&loop_); }
  ~ScriptedConnection() override {
    connection_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  void begin(ConnectionOptions options = {}) {
    options.heartbeat_s = 0;
    connection_ = std::make_unique<Connection>(
        &loop_, clock_, options, [this] { return std::make_unique<ScriptedTransport>(script_); });
    connection_->events().on_ended = [this](const AmqpError& error) { ended_ = error; };
    connection_->open([this] { ready_ = true; }, [this](const AmqpError& error) { failed_ = error; });
  }
  void turn() { uv_run(&loop_, UV_RUN_NOWAIT); }
  void become_open(ConnectionOptions options = {}, std::size_t at_once = 4096) {
    begin(options);
    script_.listener->on_transport_ready();
    script_.say(start() + tune() + open_ok(), at_once);
    turn();
    ASSERT_TRUE(ready_);
  }
  Channel& open_channel(ChannelListener* listener = nullptr) {
    auto& channel = connection_->open_channel(listener);
    turn();
    script_.say(channel_open_ok(channel.number()));
    EXPECT_EQ(channel.state(), Channel::State::kOpen);
    return channel;
  }
  // The peer says `bytes` where the handshake has come to, and the attempt must fail with `kind`.
  void expect_failure(const Bytes& before, const Bytes& bytes, ErrorKind kind, const std::string& says) {
    failed_.reset();
    begin();
    script_.listener->on_transport_ready();
    script_.say(before);
    script_.say(bytes);
    turn();
    ASSERT_TRUE(failed_.has_value()) << says;
    EXPECT_EQ(failed_->kind, kind) << failed_->describe();
    EXPECT_NE(failed_->summary.find(says), std::string::npos) << failed_->describe();
    EXPECT_FALSE(ready_);
    EXPECT_EQ(script_.listener, nullptr) << "the transport was left open";
  }

  MonotonicClock clock_;
  uv_loop_t loop_{};
  Script script_;
  std::unique_ptr<Connection> connection_;
  bool ready_ = false;
  std::optional<AmqpError> failed_, ended_;
};

TEST_F(ScriptedConnection, OpensByteByByte) {
  become_open({}, 1);
  EXPECT_EQ(connection_->frame_max(), 8192U);
  const Bytes head(script_.written.begin(), script_.written.begin() + 8);
  EXPECT_EQ(head, Wire().raw("AMQP").u8(0).u8(0).u8(9).u8(1).bytes());
  const auto tail = frame(1, 0, Wire().u16(10).u16(31).u16(10).u32(8192).u16(0).bytes()) +
                    frame(1, 0, Wire().u16(10).u16(40).short_text("/").short_text("").u8(0).bytes());
  ASSERT_GT(script_.written.size(), tail.size());
  EXPECT_EQ(Bytes(script_.written.end() - static_cast<std::ptrdiff_t>(tail.size()), script_.written.end()),
            tail);
}

TEST_F(ScriptedConnection, ForeignPeersAreRecognised) {
  expect_failure({}, Wire().raw("HTTP/1.1 400 Bad Request\r\n").bytes(), ErrorKind::kNotAmqp, "HTTP/1.1 400");
  expect_failure({}, Wire().raw("AMQP").u32(0x00010000).bytes(), ErrorKind::kNotAmqp, "another version");
  expect_failure({}, Wire().u8(0x15).u8(3).u8(3).u16(2).u16(0x0246).bytes(), ErrorKind::kNotAmqp, "TLS");
  expect_failure({}, Wire().raw("\x1b[31mevil").bytes(), ErrorKind::kNotAmqp, ".[31mevil");
}

TEST_F(ScriptedConnection, BrokenFramesEndTheAttempt) {
  auto no_end = start();
  no_end.back() = std::byte{0};
  expect_failure({}, no_end, ErrorKind::kNotAmqp, "end octet");
  expect_failure({}, Wire().u8(1).u16(0).u32(0x7FFFFFFF).bytes(), ErrorKind::kNotAmqp, "a frame of");
  expect_failure(start(), Wire().u8(9).u16(0).u32(0).u8(0xCE).bytes(), ErrorKind::kNotAmqp, "unknown type");
  for (std::size_t size = 0; size < 8; ++size) {
    expect_failure({}, frame(1, 0, Bytes(size, std::byte{0})), ErrorKind::kNotAmqp,
                   "malformed or unexpected");
  }
  expect_failure({}, frame(2, 0, Bytes(20, std::byte{0})), ErrorKind::kNotAmqp, "not with AMQP");
  expect_failure(start(), frame(3, 0, Bytes(20, std::byte{0})), ErrorKind::kNotAmqp, "content on channel 0");
  expect_failure(start(), frame(1, 5, Wire().u16(20).u16(11).u32(0).bytes()), ErrorKind::kNotAmqp,
                 "channel 5");
  expect_failure(start(), delivery(5, "c", 1, "x"), ErrorKind::kNotAmqp, "channel");
  expect_failure(start() + tune(), Wire().u8(1).u16(0).u32(200000).bytes(), ErrorKind::kNotAmqp,
                 "a frame of");
}

TEST_F(ScriptedConnection, MethodsOutOfTurnEndTheAttempt) {
  expect_failure({}, tune(), ErrorKind::kNotAmqp, "connection.start was due");
  expect_failure(start(), start(), ErrorKind::kNotAmqp, "connection.tune was due");
  expect_failure(start() + tune(), tune(), ErrorKind::kNotAmqp, "connection.open-ok was due");
  expect_failure(start(), tune(10, 100), ErrorKind::kNotAmqp, "frames of at most 100");
  const auto external =
      frame(1, 0, Wire().u16(10).u16(10).u8(0).u8(9).u32(0).long_text("EXTERNAL").long_text("en_US").bytes());
  expect_failure({}, external, ErrorKind::kRefusedLogin, "EXTERNAL");
}

TEST_F(ScriptedConnection, ClosesInTheHandshakeAreTranslated) {
  const auto close = [](unsigned code, const std::string& text, unsigned class_id, unsigned method_id) {
    return frame(1, 0,
                 Wire().u16(10).u16(50).u16(code).short_text(text).u16(class_id).u16(method_id).bytes());
  };
  expect_failure(start(), close(403, "ACCESS_REFUSED - Login was refused", 0, 0), ErrorKind::kRefusedLogin,
                 "wrong user name or password");
  expect_failure(start() + tune(), close(530, "NOT_ALLOWED - vhost x not found", 10, 40),
                 ErrorKind::kRefusedLogin, "no such vhost");
  EXPECT_EQ(failed_->method, "connection.open");
  expect_failure(start() + tune(),
                 close(530, "NOT_ALLOWED - access to vhost 'x' refused for user 'u'", 10, 40),
                 ErrorKind::kRefusedLogin, "may not use vhost 'x'");
}

TEST_F(ScriptedConnection, HangingUpAtEachStageSaysWhatWasAwaited) {
  const std::vector<std::pair<Bytes, std::string>> stages{
      {{}, "connection.start"}, {start(), "connection.tune"}, {start() + tune(), "connection.open-ok"}};
  for (const auto& [before, awaited] : stages) {
    failed_.reset();
    begin();
    script_.listener->on_transport_ready();
    script_.say(before);
    script_.hang_up();
    turn();
    ASSERT_TRUE(failed_.has_value());
    EXPECT_NE(failed_->summary.find(awaited), std::string::npos) << failed_->describe();
  }
}

TEST_F(ScriptedConnection, SilenceAtEachStageIsBounded) {
  const std::vector<std::pair<std::function<void()>, std::string>> stages{
      {[] {}, "no connection to"},
      {[this] { script_.listener->on_transport_ready(); }, "connection.start"},
      {[this] { script_.listener->on_transport_ready(), script_.say(start()); }, "connection.tune"},
      {[this] { script_.listener->on_transport_ready(), script_.say(start() + tune()); },
       "connection.open-ok"},
  };
  for (const auto& [reach, awaited] : stages) {
    failed_.reset();
    ConnectionOptions options;
    options.handshake_timeout_ns = 20'000'000;
    begin(options);
    reach();
    for (int i = 0; i < 1000 && !failed_; ++i) uv_run(&loop_, UV_RUN_ONCE);
    ASSERT_TRUE(failed_.has_value());
    EXPECT_NE(failed_->summary.find(awaited), std::string::npos) << failed_->describe();
  }
}

TEST_F(ScriptedConnection, CloseWithoutReplyIsBounded) {
  ConnectionOptions options;
  options.close_timeout_ns = 20'000'000;
  become_open(options);
  bool closed = false;
  connection_->close([&] { closed = true; });
  for (int i = 0; i < 1000 && !closed; ++i) uv_run(&loop_, UV_RUN_ONCE);
  EXPECT_TRUE(closed);
  EXPECT_EQ(script_.listener, nullptr);
}

TEST_F(ScriptedConnection, CloseDuringTheHandshakeAnswersBothCallbacks) {
  begin();
  bool closed = false;
  connection_->close([&] { closed = true; });
  turn();
  EXPECT_TRUE(closed);
  EXPECT_TRUE(failed_.has_value());
}

struct Listening : ChannelListener, DeliveryHandler {
  void on_confirm(std::uint64_t number, bool multiple, bool) override {
    confirms.emplace_back(number, multiple);
  }
  void on_undecided(std::uint64_t through, const AmqpError&) override { undecided = through; }
  void on_closed(const AmqpError& error) override { closed = error; }
  void on_writable() override { ++writable; }
  void on_delivery(const Delivery& message) override {
    bodies.emplace_back(message.body_text());
    if (react) react(message);
  }
  void on_cancelled(const AmqpError&) override { ++cancelled; }
  std::vector<std::pair<std::uint64_t, bool>> confirms;
  std::vector<std::string> bodies;
  std::function<void(const Delivery&)> react;
  std::optional<AmqpError> closed;
  std::uint64_t undecided = 0;
  int writable = 0, cancelled = 0;
};

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
