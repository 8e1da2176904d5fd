#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "amqp/connection.h"
#include "amqp/transport.h"
#include "wire_bytes.h"

// The connection over a scripted transport: what a hostile, broken or silent peer can do.
namespace brokerlab::amqp {

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

inline Bytes start() {
  return frame(
      1, 0, Wire().u16(10).u16(10).u8(0).u8(9).u32(0).long_text("PLAIN AMQPLAIN").long_text("en_US").bytes());
}
inline Bytes tune(unsigned channels = 10, unsigned frame_max = 8192, unsigned heartbeat = 0) {
  return frame(1, 0, Wire().u16(10).u16(30).u16(channels).u32(frame_max).u16(heartbeat).bytes());
}
inline Bytes open_ok() { return frame(1, 0, Wire().u16(10).u16(41).short_text("").bytes()); }
inline Bytes channel_open_ok(int channel) {
  return frame(1, channel, Wire().u16(20).u16(11).long_text("").bytes());
}
inline Bytes consume_ok(int channel, const std::string& tag) {
  return frame(1, channel, Wire().u16(60).u16(21).short_text(tag).bytes());
}
inline Bytes delivery(int channel, const std::string& tag, unsigned number, std::string_view body) {
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

}  // namespace brokerlab::amqp
