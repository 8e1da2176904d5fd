#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "amqp/amqp_error.h"
#include "amqp/delivery.h"
#include "amqp/publish_template.h"
#include "core/clock.h"

namespace brokerlab::amqp {

struct BindingDeclaration;
struct ExchangeDeclaration;
struct QueueDeclaration;
struct ConsumeOptions;

struct QueueStatus {
  std::string name;
  std::uint32_t messages = 0;  // ready
  std::uint32_t consumers = 0;
};

using Done = std::function<void(const Outcome&)>;
using QueueDone = std::function<void(const Outcome&, const QueueStatus&)>;
using MessagesDone = std::function<void(const Outcome&, std::uint32_t messages)>;
// `message` is null when the queue was empty; `remaining` messages are still ready.
using GetDone = std::function<void(const Outcome&, const Delivery* message, std::uint32_t remaining)>;
using ConsumeDone = std::function<void(const Outcome&, const std::string& consumer_tag)>;

// What a channel reports on its own. Called on the loop's thread from within a read or a timer; may use the
// channel, but not destroy it or its connection. Every default does nothing.
class ChannelListener {
 public:
  virtual ~ChannelListener() = default;
  // The broker settled publish `number`; with `multiple` every unsettled one up to it as well.
  virtual void on_confirm(std::uint64_t number, bool multiple, bool acked);
  // The connection or channel was lost: publishes up to `through` that are not settled yet stay undecided for
  // ever.
  virtual void on_undecided(std::uint64_t through, const AmqpError& reason);
  // A mandatory message could not be routed. Comes before its confirm (which is an ack).
  virtual void on_return(const Returned& returned);
  // writable() was false and is true again.
  virtual void on_writable();
  // The broker closed the channel, or it could not be restored after a reconnect. Operations that waited have
  // been answered with this error. reopen() is allowed.
  virtual void on_closed(const AmqpError& error);
};

// One AMQP channel. Made by Connection::open_channel and owned by the connection; lives until
// Connection::remove or the connection's end. One loop, one thread.
//
// Operations answer by their callback, in order, exactly once: with the broker's answer, or with the error
// that ended the channel or the connection. They may be called as soon as the channel object exists, before
// the broker has opened it.
//
// After a lost connection the channel is restored with its qos, confirm or transaction mode and consumers.
// Publish numbers and delivery tags go on counting then and never repeat, so an ack for a delivery of the
// lost connection is recognised and dropped, and a late number can not be mistaken for a new one; epoch()
// counts the restorations.
class Channel {
 public:
  // kLost: the connection is not open; it opens or restores the channel when it is.
  enum class State { kOpening, kOpen, kClosing, kClosed, kLost };
  class Impl;

  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  State state() const;
  std::uint32_t epoch() const;
  std::uint16_t number() const;

  // Topology.
  void declare(const ExchangeDeclaration& exchange, Done done);
  void declare(const QueueDeclaration& queue, QueueDone done);
  void bind(const BindingDeclaration& binding, Done done);
  void unbind(const BindingDeclaration& binding, Done done);
  void purge(const std::string& queue, MessagesDone done);
  void delete_queue(const std::string& queue, bool if_unused, bool if_empty, MessagesDone done);
  void delete_exchange(const std::string& exchange, bool if_unused, Done done);

  // Transactions: what is published and acknowledged between two commits takes effect together. Not on a
  // channel with confirms.
  void tx_select(Done done);
  void tx_commit(Done done);

  // Publishing. confirm_select before the first publish whose confirm is wanted.
  void confirm_select(Done done);
  // Copies the message into the connection's output buffer, which is flushed once per turn of the loop or
  // when full. Returns its publish number, from 1 on; 0 when the channel is not open: nothing was sent. Ask
  // writable() first: publish does not refuse while the connection is blocked or the buffer is full, the
  // buffer grows.
  std::uint64_t publish(PublishTemplate& message, const PublishStamp& stamp, std::span<const std::byte> body);
  // Open, not blocked by the broker, and the output buffer below its limit.
  bool writable() const;

  // Consuming. `handler` must outlive the consumer.
  void qos(std::uint16_t prefetch, bool global, Done done);
  void consume(const ConsumeOptions& options, DeliveryHandler& handler, ConsumeDone done);
  void cancel(const std::string& consumer_tag, Done done);
  void get(const std::string& queue, bool auto_ack, GetDone done);
  // False when nothing was sent: the delivery belongs to a lost connection, or the channel is not open.
  bool ack(std::uint64_t delivery_tag, bool multiple = false);
  bool nack(std::uint64_t delivery_tag, bool multiple, bool requeue);
  bool reject(std::uint64_t delivery_tag, bool requeue);

  // channel.close; after that the object is kClosed and may be reopened.
  void close(Done done);
  // Opens a closed channel again: without consumers, qos and confirm mode.
  void reopen(Done done);

 private:
  friend class Connection;
  explicit Channel(std::unique_ptr<Impl> impl);
  ~Channel();
  friend struct std::default_delete<Channel>;
  std::unique_ptr<Impl> impl_;
};

}  // namespace brokerlab::amqp
