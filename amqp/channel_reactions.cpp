// The half of Channel::Impl that receives: answers, deliveries, confirms, returns, and the ends of things.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "amqp/channel_impl.h"

namespace brokerlab::amqp {
namespace {

AmqpError broken(std::string what) {
  return AmqpError::make(ErrorKind::kNotAmqp, "the peer broke the AMQP protocol: " + std::move(what),
                         "check that the port belongs to a RabbitMQ node");
}

void fill(Content& content, std::string_view exchange, std::string_view routing_key,
          const ContentHeader& header, std::span<const std::byte> body, Nanoseconds received_ns) {
  content.exchange = exchange;
  content.routing_key = routing_key;
  content.raw_properties = header.raw_properties;
  content.stamp_bytes = header.stamp_bytes;
  content.body = body;
  content.received_ns = received_ns;
}

}  // namespace

Outcome Channel::Impl::on_whole_delivery(const WholeDelivery& whole, Nanoseconds received_ns) {
  if (assembly_ && assembly_->active()) return broken("a method within a message");
  if (state_ == State::kOpen) deliver(whole.fields, whole.header, whole.body, received_ns);
  return {};
}

void Channel::Impl::deliver(const DeliverFields& fields, const ContentHeader& header,
                            std::span<const std::byte> body, Nanoseconds received_ns) {
  if (last_consumer_ >= consumers_.size() ||
      consumers_[last_consumer_]->options.consumer_tag != fields.consumer_tag) {
    const auto found = std::find_if(consumers_.begin(), consumers_.end(), [&](const auto& consumer) {
      return consumer->options.consumer_tag == fields.consumer_tag;
    });
    if (found == consumers_.end()) return;  // cancelled by the broker in the same moment
    last_consumer_ = static_cast<std::size_t>(found - consumers_.begin());
  }
  ++link.counters.messages_in;
  Delivery delivery;
  fill(delivery, fields.exchange, fields.routing_key, header, body, received_ns);
  delivery.tag = highest_tag_ = tag_base_ + fields.delivery_tag;
  delivery.redelivered = fields.redelivered;
  delivery.consumer_tag = fields.consumer_tag;
  consumers_[last_consumer_]->handler->on_delivery(delivery);
}

Outcome Channel::Impl::on_frame(FrameType type, std::span<const std::byte> payload, Nanoseconds received_ns) {
  if (state_ == State::kClosed || state_ == State::kLost) return {};  // crossed our close-ok
  const bool in_content = assembly_ && assembly_->active();
  if (type == FrameType::kMethod) {
    if (in_content) return broken("a method within a message");
    if (payload.size() < 4) return broken("a method frame without a method");
    return on_method(payload);
  }
  if (!in_content) return broken("content without its method");
  auto outcome = type == FrameType::kHeader ? assembly_->add_header(payload) : assembly_->add_body(payload);
  if (!outcome.ok() || !assembly_->complete()) return outcome;
  return on_content_complete(received_ns);
}

Outcome Channel::Impl::on_method(std::span<const std::byte> payload) {
  const auto id = load_big_endian<std::uint32_t>(payload.data());
  switch (id) {
    case kBasicDeliver:
    case kBasicGetOk:
    case kBasicReturn:
      if (!assembly_) assembly_ = std::make_unique<ContentAssembly>();
      assembly_->begin(id, payload);
      return {};
    case kBasicAck:
    case kBasicNack:
      return on_confirm(payload.subspan(4), id == kBasicAck);
    default:
      break;
  }
  const auto method = link.decoder.decode(payload);
  if (!method) return broken(fmt::format("a malformed or unexpected method ({:#x})", id));
  switch (id) {
    case AMQP_CHANNEL_CLOSE_METHOD:
      on_closed_by_broker(*method);
      return {};
    case AMQP_BASIC_CANCEL_METHOD:
      on_cancelled_by_broker(*method);
      return {};
    case AMQP_CHANNEL_FLOW_METHOD: {
      if (link.answers_pile_up()) return broken("channel.flow again and again, without reading the answers");
      amqp_channel_flow_ok_t ok{method->as<amqp_channel_flow_t>().active};
      link.writer.method(number, AMQP_CHANNEL_FLOW_OK_METHOD, &ok);
      link.wrote();
      return {};
    }
    default:
      return on_answer(*method);
  }
}

Outcome Channel::Impl::on_answer(const Method& method) {
  if (waiting_.empty() || waiting_.front().answer != method.id) {
    if (method.id == AMQP_CHANNEL_CLOSE_OK_METHOD) return {};  // both sides closed in the same moment
    return broken(method_name(method.id) + " that answers nothing");
  }
  const auto waiting = std::move(waiting_.front());
  waiting_.pop_front();
  if (waiting.got) {
    waiting.got({}, nullptr, 0);
  } else {
    waiting.done({}, &method);
  }
  return {};
}

Outcome Channel::Impl::on_confirm(std::span<const std::byte> arguments, bool acked) {
  const auto fields = parse_confirm(arguments);
  if (!fields) return broken("a malformed confirm");
  if (!confirming_) return broken("a confirm on a channel without confirms");
  if (fields->delivery_tag > published_ - confirm_base_)
    return broken("a confirm of a message that was never published");
  // 0 with multiple means: all so far.
  const auto number = fields->delivery_tag == 0 ? published_ : confirm_base_ + fields->delivery_tag;
  if (state_ == State::kOpen && listener_ != nullptr) listener_->on_confirm(number, fields->multiple, acked);
  return {};
}

Outcome Channel::Impl::on_content_complete(Nanoseconds received_ns) {
  // Moved out, so that a callback may run whatever it likes, and freed of its bytes at the end.
  auto assembly = std::move(assembly_);
  const auto header = parse_content_header(assembly->header_payload());
  if (!header) return broken("a malformed content header");
  Outcome outcome;
  if (assembly->method() == kBasicReturn) {
    const auto fields = parse_return(assembly->arguments());
    if (!fields) return broken("a malformed basic.return");
    Returned returned;
    fill(returned, fields->exchange, fields->routing_key, *header, assembly->body(), received_ns);
    returned.reply_code = fields->reply_code;
    returned.reply_text = fields->reply_text;
    if (state_ == State::kOpen && listener_ != nullptr) listener_->on_return(returned);
  } else {
    const bool got = assembly->method() == kBasicGetOk;
    const auto fields = got ? parse_get_ok(assembly->arguments()) : parse_deliver(assembly->arguments());
    if (!fields) return broken("a malformed delivery");
    if (got) {
      outcome = on_get_ok(*fields, *header, assembly->body(), received_ns);
    } else if (state_ == State::kOpen) {
      deliver(*fields, *header, assembly->body(), received_ns);
    }
  }
  assembly->clear();
  if (!assembly_) assembly_ = std::move(assembly);
  return outcome;
}

Outcome Channel::Impl::on_get_ok(const DeliverFields& fields, const ContentHeader& header,
                                 std::span<const std::byte> body, Nanoseconds received_ns) {
  if (waiting_.empty() || !waiting_.front().got) return broken("basic.get-ok that answers nothing");
  const auto waiting = std::move(waiting_.front());
  waiting_.pop_front();
  ++link.counters.messages_in;
  Delivery delivery;
  fill(delivery, fields.exchange, fields.routing_key, header, body, received_ns);
  delivery.tag = highest_tag_ = tag_base_ + fields.delivery_tag;
  delivery.redelivered = fields.redelivered;
  waiting.got({}, &delivery, fields.remaining);
  return {};
}

std::unique_ptr<Channel::Impl::Consumer> Channel::Impl::take_consumer(std::string_view tag) {
  const auto found = std::find_if(consumers_.begin(), consumers_.end(), [&](const auto& consumer) {
    return consumer->options.consumer_tag == tag;
  });
  if (found == consumers_.end()) return nullptr;
  auto consumer = std::move(*found);
  consumers_.erase(found);
  last_consumer_ = 0;
  return consumer;
}

void Channel::Impl::on_cancelled_by_broker(const Method& method) {
  const auto consumer = take_consumer(to_view(method.as<amqp_basic_cancel_t>().consumer_tag));
  if (!consumer) return;
  auto reason =
      AmqpError::make(ErrorKind::kChannel,
                      fmt::format("the broker cancelled the consumer of queue '{}'", consumer->options.queue),
                      "see whether the queue was deleted, or its node went down");
  reason.method = "basic.cancel";
  consumer->handler->on_cancelled(reason);
}

void Channel::Impl::on_closed_by_broker(const Method& method) {
  const auto& close = method.as<amqp_channel_close_t>();
  const auto id = static_cast<std::uint32_t>(close.class_id) << 16U | close.method_id;
  const auto error = AmqpError::from_reply(ErrorKind::kChannel, close.reply_code,
                                           std::string(to_view(close.reply_text)), id);
  amqp_channel_close_ok_t ok{};
  link.writer.method(number, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
  link.wrote();
  state_ = State::kClosed;
  const auto consumers = std::exchange(consumers_, {});
  void_tags(error);
  fail_waiting(error);
  for (const auto& consumer : consumers) consumer->handler->on_cancelled(error);
  if (listener_ != nullptr) listener_->on_closed(error);
}

// The broker forgets delivery tags and confirms with the channel; so do we, but go on counting.
void Channel::Impl::void_tags(const AmqpError& reason) {
  tag_base_ = highest_tag_;
  if (assembly_) assembly_->clear();
  const bool undecided = (confirming_ || transactional_) && published_ > confirm_base_;
  confirm_base_ = published_;
  if (state_ == State::kClosed) {
    confirming_ = transactional_ = false;
    prefetch_.clear();
    consumers_.clear();
  }
  if (undecided && listener_ != nullptr) listener_->on_undecided(published_, reason);
}

void Channel::Impl::fail_waiting(const AmqpError& reason) {
  const auto waiting = std::exchange(waiting_, {});
  for (const auto& each : waiting) {
    if (each.got) {
      each.got(reason, nullptr, 0);
    } else {
      each.done(reason, nullptr);
    }
  }
}

void Channel::Impl::on_connection_lost(const AmqpError& reason) {
  if (state_ == State::kLost) return;
  const bool ours = state_ == State::kClosing;  // we wanted it closed, and closed it is
  if (state_ != State::kClosed) state_ = ours ? State::kClosed : State::kLost;
  void_tags(reason);
  fail_waiting(reason);
}

void Channel::Impl::on_connection_closing(const AmqpError& reason) {
  if (state_ != State::kClosed) state_ = State::kLost;
  fail_waiting(reason);
}

void Channel::Impl::on_room() {
  if (!room_wanted_ || state_ != State::kOpen) return;
  room_wanted_ = false;
  if (listener_ != nullptr) listener_->on_writable();
}

}  // namespace brokerlab::amqp
