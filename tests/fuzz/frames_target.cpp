#include <uv.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "amqp/connection.h"
#include "amqp/consume_options.h"
#include "amqp/declaration.h"
#include "amqp/properties.h"
#include "amqp/transport.h"
#include "core/error.h"
#include "tests/amqp/wire_bytes.h"
#include "tests/fuzz/targets.h"

namespace brokerlab::fuzz {
namespace {

using amqp::Bytes;
using amqp::frame;
using amqp::operator+;
using amqp::Wire;

// The peer's end of the connection: takes whatever is written, and says what the input says.
struct Peer {
  amqp::Transport::Listener* listener = nullptr;

  void say(Input bytes, std::size_t at_once) {
    while (!bytes.empty() && listener != nullptr) {
      const auto space = listener->read_space();
      require(!space.empty(), "there is always room for the next bytes");
      const std::size_t part = std::min({at_once, bytes.size(), space.size()});
      std::copy_n(bytes.begin(), part, space.begin());
      bytes = bytes.subspan(part);
      listener->on_bytes(part);
    }
  }
};

class PeerTransport final : public amqp::Transport {
 public:
  explicit PeerTransport(Peer& peer) : peer_(peer) {}
  void connect(Listener& listener) override { peer_.listener = &listener; }
  bool write(std::span<const std::byte>) override { return true; }
  void close() override { peer_.listener = nullptr; }

 private:
  Peer& peer_;
};

// Uses everything that a peer's message brings, and keeps a record of what it was told.
class User final : public amqp::ChannelListener, public amqp::DeliveryHandler {
 public:
  void on_confirm(std::uint64_t number, bool multiple, bool acked) override {
    require(number >= 1 && number <= published, "a confirm is of a message that was published");
    note("confirm " + std::to_string(number) + (multiple ? "+" : "") + (acked ? "" : " nack"));
  }
  void on_undecided(std::uint64_t through, const amqp::AmqpError&) override {
    require(through <= published, "undecided is what was published");
  }
  void on_return(const amqp::Returned& returned) override {
    use(returned);
    note("return " + std::to_string(returned.reply_code));
  }
  void on_closed(const amqp::AmqpError& error) override { note("closed " + std::to_string(error.code)); }
  void on_delivery(const amqp::Delivery& message) override {
    use(message);
    note("delivery " + std::string(message.routing_key) + " " + std::string(message.body_text()));
    channel->ack(message.tag);
  }
  void on_cancelled(const amqp::AmqpError&) override { note("cancelled"); }

  void note(const std::string& what) { record += what + "\n"; }

  amqp::Channel* channel = nullptr;
  std::uint64_t published = 0;
  std::string record;

 private:
  static void use(const amqp::Content& content) {
    static_cast<void>(content.stamp());
    try {
      static_cast<void>(content.properties().headers.dump());
    } catch (const Error&) {
    }
  }
};

Bytes start() {
  return frame(1, 0, Wire().u16(10).u16(10).u8(0).u8(9).u32(0).long_text("PLAIN").long_text("en_US").bytes());
}
Bytes tune() { return frame(1, 0, Wire().u16(10).u16(30).u16(10).u32(8192).u16(0).bytes()); }
Bytes open_ok() { return frame(1, 0, Wire().u16(10).u16(41).short_text("").bytes()); }
Bytes channel_open_ok() { return frame(1, 1, Wire().u16(20).u16(11).u32(0).bytes()); }
Bytes confirm_select_ok() { return frame(1, 1, Wire().u16(85).u16(11).bytes()); }
Bytes consume_ok() { return frame(1, 1, Wire().u16(60).u16(21).short_text("t").bytes()); }

// One conversation on a loop of its own. `stage`: how much of it went well before the input takes over.
class Conversation {
 public:
  Conversation() { uv_loop_init(&loop_); }
  ~Conversation() {
    connection_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    require(uv_loop_close(&loop_) == 0, "a connection leaves no handle behind");
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void reach(unsigned stage) {
    amqp::ConnectionOptions options;
    options.heartbeat_s = 0;
    connection_ = std::make_unique<amqp::Connection>(
        &loop_, clock_, options, [this] { return std::make_unique<PeerTransport>(peer_); });
    connection_->events().on_blocked = [this](std::string_view reason) {
      user_.note("blocked " + std::string(reason));
    };
    connection_->events().on_unblocked = [this] { user_.note("unblocked"); };
    connection_->events().on_ended = [this](const amqp::AmqpError& error) { end(error); };
    connection_->open([] {}, [this](const amqp::AmqpError& error) { end(error); });
    peer_.listener->on_transport_ready();
    if (stage > 0) say(start());
    if (stage > 1) say(tune());
    if (stage > 2) say(open_ok());
    if (stage > 3) talk(stage > 4);
  }

  // What the user heard, and how it ended.
  std::string hear(Input input, std::size_t at_once) {
    user_.record.clear();
    peer_.say(input, at_once);
    uv_run(&loop_, UV_RUN_NOWAIT);
    return std::move(user_.record);
  }

 private:
  void say(const Bytes& bytes) { peer_.say(bytes, bytes.size()); }

  // A channel that publishes, consumes and asks; answered, or with every question still open.
  void talk(bool answered) {
    auto& channel = connection_->open_channel(&user_);
    user_.channel = &channel;
    uv_run(&loop_, UV_RUN_NOWAIT);
    say(channel_open_ok());
    channel.confirm_select(nullptr);
    amqp::ConsumeOptions consume;
    consume.queue = "q";
    consume.consumer_tag = "t";
    channel.consume(consume, user_, nullptr);
    if (answered) say(confirm_select_ok() + consume_ok());
    amqp::PublishTemplate message({"", "q", true}, {}, std::nullopt);
    for (int i = 0; i < 3; ++i) user_.published = channel.publish(message, {}, {});
    if (answered) return;
    amqp::QueueDeclaration queue;
    queue.name = "q";
    channel.declare(queue, [this](const amqp::Outcome& outcome, const amqp::QueueStatus& status) {
      user_.note(outcome.ok() ? "declared " + status.name : "not declared");
    });
    channel.get("q", true, [this](const amqp::Outcome&, const amqp::Delivery* got, std::uint32_t) {
      if (got != nullptr) user_.note("got " + std::string(got->body_text()));
    });
    channel.purge("q", nullptr);
    channel.close([this](const amqp::Outcome&) { user_.note("channel closed"); });
  }
  void end(const amqp::AmqpError& error) {
    require(!error.describe().empty(), "an end says why");
    user_.note("end " + std::to_string(static_cast<int>(error.kind)));
  }

  MonotonicClock clock_;
  uv_loop_t loop_{};
  Peer peer_;
  User user_;
  std::unique_ptr<amqp::Connection> connection_;
};

std::string told(unsigned stage, Input input, std::size_t at_once) {
  Conversation conversation;
  conversation.reach(stage);
  return conversation.hear(input, at_once);
}

}  // namespace

// The first byte: how far the conversation has come when the input takes over.
void frames(Input input) {
  if (input.empty()) return;
  constexpr unsigned kStages = 6;
  const unsigned stage = static_cast<unsigned>(input.front()) % kStages;
  input = input.subspan(1);
  const std::string whole = told(stage, input, input.size());
  require(told(stage, input, 7) == whole, "how the network cuts the bytes makes no difference");
}

}  // namespace brokerlab::fuzz
