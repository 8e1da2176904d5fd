#include "amqp/channel.h"

#include "amqp/channel_impl.h"
#include "amqp/declaration.h"
#include "amqp/field_table.h"

namespace brokerlab::amqp {
namespace {

constexpr std::uint8_t kMultiple = 1;
constexpr std::uint8_t kRequeueOfNack = 2;
constexpr std::uint8_t kRequeueOfReject = 1;

template <typename Fields>
Channel::Impl::Answer message_count(MessagesDone done) {
  return [done = std::move(done)](const Outcome& outcome, const Method* method) {
    if (done) done(outcome, method != nullptr ? method->as<Fields>().message_count : 0);
  };
}

// queue.bind and its like differ in their structs only.
template <typename Fields>
Fields queue_binding(const BindingDeclaration& binding, amqp_pool_t* pool) {
  Fields fields{};
  fields.queue = short_text(binding.destination, "queue name");
  fields.exchange = short_text(binding.source, "exchange name");
  fields.routing_key = short_text(binding.routing_key, "binding key");
  fields.arguments = FieldTable::to_wire(binding.arguments, pool);
  return fields;
}

template <typename Fields>
Fields exchange_binding(const BindingDeclaration& binding, amqp_pool_t* pool) {
  Fields fields{};
  fields.destination = short_text(binding.destination, "exchange name");
  fields.source = short_text(binding.source, "exchange name");
  fields.routing_key = short_text(binding.routing_key, "binding key");
  fields.arguments = FieldTable::to_wire(binding.arguments, pool);
  return fields;
}

}  // namespace

void ChannelListener::on_confirm(std::uint64_t, bool, bool) {}
void ChannelListener::on_undecided(std::uint64_t, const AmqpError&) {}
void ChannelListener::on_return(const Returned&) {}
void ChannelListener::on_writable() {}
void ChannelListener::on_closed(const AmqpError&) {}

Channel::Channel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Channel::~Channel() = default;

Channel::State Channel::state() const { return impl_->state(); }
std::uint32_t Channel::epoch() const { return impl_->epoch(); }
std::uint16_t Channel::number() const { return impl_->number; }

void Channel::declare(const ExchangeDeclaration& exchange, Done done) {
  impl_->request(AMQP_EXCHANGE_DECLARE_OK_METHOD, Impl::plain(std::move(done)),
                 [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t* pool) {
                   amqp_exchange_declare_t fields{};
                   fields.exchange = short_text(exchange.name, "exchange name");
                   fields.type = short_text(exchange.type, "exchange type");
                   fields.passive = exchange.passive;
                   fields.durable = exchange.durable;
                   fields.auto_delete = exchange.auto_delete;
                   fields.internal = exchange.internal;
                   fields.arguments = FieldTable::to_wire(exchange.arguments, pool);
                   writer.method(channel, AMQP_EXCHANGE_DECLARE_METHOD, &fields);
                 });
}

void Channel::declare(const QueueDeclaration& queue, QueueDone done) {
  auto answer = [done = std::move(done)](const Outcome& outcome, const Method* method) {
    if (!done) return;
    QueueStatus status;
    if (method != nullptr) {
      const auto& ok = method->as<amqp_queue_declare_ok_t>();
      status = {std::string(to_view(ok.queue)), ok.message_count, ok.consumer_count};
    }
    done(outcome, status);
  };
  impl_->request(AMQP_QUEUE_DECLARE_OK_METHOD, std::move(answer),
                 [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t* pool) {
                   amqp_queue_declare_t fields{};
                   fields.queue = short_text(queue.name, "queue name");
                   fields.passive = queue.passive;
                   fields.durable = queue.durable;
                   fields.exclusive = queue.exclusive;
                   fields.auto_delete = queue.auto_delete;
                   fields.arguments = FieldTable::to_wire(queue.arguments, pool);
                   writer.method(channel, AMQP_QUEUE_DECLARE_METHOD, &fields);
                 });
}

void Channel::bind(const BindingDeclaration& binding, Done done) {
  const bool to_queue = binding.to == BindingDeclaration::To::kQueue;
  impl_->request(to_queue ? AMQP_QUEUE_BIND_OK_METHOD : AMQP_EXCHANGE_BIND_OK_METHOD,
                 Impl::plain(std::move(done)),
                 [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t* pool) {
                   if (to_queue) {
                     auto fields = queue_binding<amqp_queue_bind_t>(binding, pool);
                     writer.method(channel, AMQP_QUEUE_BIND_METHOD, &fields);
                   } else {
                     auto fields = exchange_binding<amqp_exchange_bind_t>(binding, pool);
                     writer.method(channel, AMQP_EXCHANGE_BIND_METHOD, &fields);
                   }
                 });
}

void Channel::unbind(const BindingDeclaration& binding, Done done) {
  const bool to_queue = binding.to == BindingDeclaration::To::kQueue;
  impl_->request(to_queue ? AMQP_QUEUE_UNBIND_OK_METHOD : AMQP_EXCHANGE_UNBIND_OK_METHOD,
                 Impl::plain(std::move(done)),
                 [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t* pool) {
                   if (to_queue) {
                     auto fields = queue_binding<amqp_queue_unbind_t>(binding, pool);
                     writer.method(channel, AMQP_QUEUE_UNBIND_METHOD, &fields);
                   } else {
                     auto fields = exchange_binding<amqp_exchange_unbind_t>(binding, pool);
                     writer.method(channel, AMQP_EXCHANGE_UNBIND_METHOD, &fields);
                   }
                 });
}

void Channel::purge(const std::string& queue, MessagesDone done) {
  impl_->request(AMQP_QUEUE_PURGE_OK_METHOD, message_count<amqp_queue_purge_ok_t>(std::move(done)),
                 [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t*) {
                   amqp_queue_purge_t fields{};
                   fields.queue = short_text(queue, "queue name");
                   writer.method(channel, AMQP_QUEUE_PURGE_METHOD, &fields);
                 });
}

void Channel::delete_queue(const std::string& queue, bool if_unused, bool if_empty, MessagesDone done) {
  impl_->request(AMQP_QUEUE_DELETE_OK_METHOD, message_count<amqp_queue_delete_ok_t>(std::move(done)),
                 [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t*) {
                   amqp_queue_delete_t fields{};
                   fields.queue = short_text(queue, "queue name");
                   fields.if_unused = if_unused;
                   fields.if_empty = if_empty;
                   writer.method(channel, AMQP_QUEUE_DELETE_METHOD, &fields);
                 });
}

void Channel::delete_exchange(const std::string& exchange, bool if_unused, Done done) {
  impl_->request(AMQP_EXCHANGE_DELETE_OK_METHOD, Impl::plain(std::move(done)),
                 [&](FrameWriter& writer, std::uint16_t channel, amqp_pool_t*) {
                   amqp_exchange_delete_t fields{};
                   fields.exchange = short_text(exchange, "exchange name");
                   fields.if_unused = if_unused;
                   writer.method(channel, AMQP_EXCHANGE_DELETE_METHOD, &fields);
                 });
}

void Channel::confirm_select(Done done) { impl_->confirm_select(std::move(done)); }
std::uint64_t Channel::publish(PublishTemplate& message, const PublishStamp& stamp,
                               std::span<const std::byte> body) {
  return impl_->publish(message, stamp, body);
}
bool Channel::writable() const { return impl_->writable(); }

void Channel::tx_select(Done done) { impl_->tx_select(std::move(done)); }
void Channel::tx_commit(Done done) { impl_->tx_commit(std::move(done)); }
void Channel::qos(std::uint16_t prefetch, bool global, Done done) {
  impl_->qos(prefetch, global, std::move(done));
}
void Channel::consume(const ConsumeOptions& options, DeliveryHandler& handler, ConsumeDone done) {
  impl_->consume(options, handler, std::move(done));
}
void Channel::cancel(const std::string& consumer_tag, Done done) {
  impl_->cancel(consumer_tag, std::move(done));
}
void Channel::get(const std::string& queue, bool auto_ack, GetDone done) {
  impl_->get(queue, auto_ack, std::move(done));
}

bool Channel::ack(std::uint64_t delivery_tag, bool multiple) {
  return impl_->settle(kBasicAck, delivery_tag, multiple ? kMultiple : 0);
}
bool Channel::nack(std::uint64_t delivery_tag, bool multiple, bool requeue) {
  return impl_->settle(
      kBasicNack, delivery_tag,
      static_cast<std::uint8_t>((multiple ? kMultiple : 0) | (requeue ? kRequeueOfNack : 0)));
}
bool Channel::reject(std::uint64_t delivery_tag, bool requeue) {
  return impl_->settle(kBasicReject, delivery_tag, requeue ? kRequeueOfReject : 0);
}

void Channel::close(Done done) { impl_->close(std::move(done)); }
void Channel::reopen(Done done) { impl_->reopen(std::move(done)); }

}  // namespace brokerlab::amqp
