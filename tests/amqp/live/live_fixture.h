#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "amqp/channel.h"
#include "amqp/connection.h"
#include "amqp/consume_options.h"
#include "amqp/declaration.h"
#include "amqp/properties.h"
#include "live_broker.h"

namespace brokerlab::amqp {

// Keeps what a channel reports.
struct Notes : ChannelListener {
  struct Confirm {
    std::uint64_t number;
    bool multiple, acked;
  };
  void on_confirm(std::uint64_t number, bool multiple, bool acked) override {
    confirms.push_back({number, multiple, acked});
    settled_through = std::max(settled_through, number);
    events.push_back("confirm");
  }
  void on_undecided(std::uint64_t through, const AmqpError&) override { undecided_through = through; }
  void on_return(const Returned& message) override {
    returned_keys.emplace_back(message.routing_key);
    return_code = message.reply_code;
    if (const auto stamp = message.stamp()) returned_sequence = static_cast<std::int64_t>(stamp->sequence);
    events.push_back("return");
  }
  void on_writable() override { ++writable_again; }
  void on_closed(const AmqpError& error) override { closed = error; }

  std::vector<Confirm> confirms;
  std::vector<std::string> events, returned_keys;
  std::uint64_t settled_through = 0, undecided_through = 0;
  std::int64_t returned_sequence = -1;
  int return_code = 0, writable_again = 0;
  std::optional<AmqpError> closed;
};

// Keeps what a consumer receives.
struct Inbox : DeliveryHandler {
  struct Item {
    std::uint64_t tag;
    std::string body;
    bool redelivered;
    std::string key;
    std::optional<Stamp> stamp;
  };
  void on_delivery(const Delivery& delivery) override {
    items.push_back({delivery.tag, std::string(delivery.body_text()), delivery.redelivered,
                     std::string(delivery.routing_key), delivery.stamp()});
    if (react) react(delivery);
  }
  void on_cancelled(const AmqpError& reason) override { cancelled = reason; }

  std::vector<Item> items;
  std::function<void(const Delivery&)> react;
  std::optional<AmqpError> cancelled;
};

// A loop, a connection to the live broker, and bounded waiting.
class LiveTest : public testing::Test {
 protected:
  LiveTest();
  ~LiveTest() override;

  // False after `limit_s` seconds.
  bool run_until(const std::function<bool()>& done, int limit_s = 20);
  Outcome open(Connection& connection);
  ConnectionOptions options() const;
  std::unique_ptr<Connection> connected();
  std::unique_ptr<Connection> connected(const ConnectionOptions& options);
  Channel& channel(Connection& connection, ChannelListener* listener = nullptr);
  // Waits for an operation that answers by Done.
  Outcome wait_for(const std::function<void(Done)>& start);
  std::string queue(Channel& channel, Json arguments = Json::object());  // exclusive, a new name
  static std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  }
  static PublishTemplate to(const std::string& exchange, const std::string& key,
                            const Properties& properties = {});
  std::uint64_t publish(Channel& channel, const std::string& queue, std::string_view body);
  Outcome consume(Channel& channel, const std::string& queue, Inbox& inbox, bool auto_ack,
                  std::string* tag = nullptr);

  MonotonicClock clock_;
  uv_loop_t loop_{};
};

}  // namespace brokerlab::amqp
