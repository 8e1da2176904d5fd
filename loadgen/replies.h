#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "amqp/channel.h"
#include "amqp/delivery.h"
#include "core/child_run.h"

namespace brokerlab {

// The replies to the messages of one publisher, by direct reply-to: each message is an operation that lasts
// until its reply is here. A reply is known by the message it was caused by, or, when a program of somebody
// else answers, by the correlation id that it copied. One loop; must outlive the channel.
class Replies final : public amqp::DeliveryHandler {
 public:
  struct Asker {
    std::uint64_t run;
    std::uint32_t publisher;
    std::uint32_t instance;
  };
  // `on_last` is called when a reply has come and no other is awaited.
  Replies(ChildRun& run, const Asker& asker, std::function<void()> on_last);

  // The queue that a message names as the one to reply to, and that is consumed on the same channel.
  static constexpr char kQueue[] = "amq.rabbitmq.reply-to";
  // The correlation id of a request that was given no other.
  static constexpr char kCorrelation[] = "{sequence}";
  void open(amqp::Channel& channel, amqp::Done done);
  void asked(std::uint64_t sequence, Nanoseconds intended_ns, Nanoseconds sent_ns);
  // Replies to what was sent over a connection that is lost will not come.
  void forget() { waiting_.clear(); }
  std::size_t waiting() const { return waiting_.size(); }

  void on_delivery(const amqp::Delivery& delivery) override;
  void on_cancelled(const amqp::AmqpError& reason) override;

 private:
  std::optional<std::uint64_t> answered_by(const amqp::Delivery& delivery,
                                           const std::optional<Stamp>& stamp) const;

  ChildRun& run_;
  Asker asker_;
  std::function<void()> on_last_;
  std::unordered_map<std::uint64_t, EventRecord*> waiting_;  // by sequence
};

}  // namespace brokerlab
