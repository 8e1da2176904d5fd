// The half of Connection::Impl that reacts to the peer's frames, and the restoration they drive.
#include <fmt/format.h>

#include <utility>

#include "amqp/connection_impl.h"
#include "core/shown_text.h"

namespace brokerlab::amqp {
namespace {

AmqpError broken(std::string what) {
  return AmqpError::make(ErrorKind::kNotAmqp, "the peer broke the AMQP protocol: " + std::move(what),
                         "check that the port belongs to a RabbitMQ node");
}

}  // namespace

void Connection::Impl::on_transport_ready() {
  phase_ = Phase::kShakingHands;
  handshake->begin();
  flush_output();
}

void Connection::Impl::on_bytes(std::size_t bytes) {
  received_ns_ = clock_.now();
  ++totals.reads;
  totals.bytes_in += static_cast<std::int64_t>(bytes);
  const auto outcome = reader_.take(bytes);
  if (!outcome.ok()) doomed_ = outcome.error();
  if (!doomed_) return;
  flush_output();  // e.g. our close-ok
  lose(*std::exchange(doomed_, std::nullopt));
}

bool Connection::Impl::on_whole_delivery(const WholeDelivery& delivery) {
  totals.frames_in += delivery.frames;
  if (phase_ == Phase::kClosing) return true;
  auto* channel = channel_at(delivery.channel);
  if (channel == nullptr) {
    doom(broken("a delivery on a channel that is not open"));
    return false;
  }
  const auto outcome = channel->impl_->on_whole_delivery(delivery, received_ns_);
  if (!outcome.ok()) doom(outcome.error());
  return !doomed_;
}

bool Connection::Impl::on_frame(const FrameHeader& header, std::span<const std::byte> payload) {
  ++totals.frames_in;
  Outcome outcome;
  if (header.channel == 0) {
    outcome = on_connection_frame(header, payload);
  } else if (phase_ == Phase::kClosing) {
    return true;
  } else if (auto* channel = channel_at(header.channel); channel == nullptr || !up) {
    outcome = broken(fmt::format("a frame on channel {}, which is not open", header.channel));
  } else if (header.type == static_cast<std::uint8_t>(FrameType::kHeartbeat)) {
    outcome = broken("a heartbeat on a channel");
  } else {
    outcome = channel->impl_->on_frame(static_cast<FrameType>(header.type), payload, received_ns_);
  }
  if (!outcome.ok()) doom(outcome.error());
  return !doomed_ && phase_ != Phase::kClosed;
}

Outcome Connection::Impl::on_connection_frame(const FrameHeader& header, std::span<const std::byte> payload) {
  if (header.type == static_cast<std::uint8_t>(FrameType::kHeartbeat)) return {};
  if (header.type != static_cast<std::uint8_t>(FrameType::kMethod)) return broken("content on channel 0");
  const auto method = decoder.decode(payload);
  if (!method) return broken("a malformed or unexpected method on channel 0");
  if (phase_ == Phase::kShakingHands) {
    try {
      on_handshake_step(handshake->on_method(*method));
    } catch (const Error& error) {  // e.g. a password that fits into no frame
      return AmqpError::make(ErrorKind::kRefusedLogin, error.summary(), error.remedy());
    }
    return {};
  }
  return on_connection_method(*method);
}

void Connection::Impl::on_handshake_step(Handshake::Step step) {
  switch (step) {
    case Handshake::Step::kGoOn:
      return wrote();
    case Handshake::Step::kFailed:
      return doom(handshake->error());
    case Handshake::Step::kOpen:
      reader_.set_frame_max(handshake->frame_max());
      up = true;
      return begin_restoration();
  }
}

Outcome Connection::Impl::on_connection_method(const Method& method) {
  switch (method.id) {
    case AMQP_CONNECTION_CLOSE_METHOD:
      on_closed_by_broker(method);
      return {};
    case AMQP_CONNECTION_CLOSE_OK_METHOD:
      if (phase_ != Phase::kClosing) return broken("connection.close-ok that answers nothing");
      finish_close();
      return {};
    case AMQP_CONNECTION_BLOCKED_METHOD:
      set_blocked(true, shown_words(to_view(method.as<amqp_connection_blocked_t>().reason)));
      return {};
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      set_blocked(false, "");
      tell_room();
      return {};
    default:
      return broken(method_name(method.id) + " out of turn");
  }
}

void Connection::Impl::on_closed_by_broker(const Method& method) {
  const auto& close = method.as<amqp_connection_close_t>();
  const auto id = static_cast<std::uint32_t>(close.class_id) << 16U | close.method_id;
  auto error = AmqpError::from_reply(ErrorKind::kConnection, close.reply_code,
                                     std::string(to_view(close.reply_text)), id);
  amqp_connection_close_ok_t ok{};
  writer.method(0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
  doom(std::move(error));
}

void Connection::Impl::set_blocked(bool now_blocked, std::string_view reason) {
  if (std::exchange(blocked, now_blocked) == now_blocked) return;
  if (now_blocked) {
    if (events.on_blocked) events.on_blocked(reason);
  } else if (events.on_unblocked) {
    events.on_unblocked();
  }
}

void Connection::Impl::begin_restoration() {
  phase_ = Phase::kRestoring;
  ++restoration_;
  if (topology_channel_ != 0)
    channels_[std::exchange(topology_channel_, 0)].reset();  // of a restoration that failed
  heartbeat_ = Heartbeat(handshake->heartbeat_s() * kNanosecondsPerSecond, clock_.now());
  if (ever_open_ && topology) {
    restore_topology();
  } else {
    restore_channels();
  }
}

// On a channel of its own: consumers of all channels need the queues.
void Connection::Impl::restore_topology() {
  const auto answers = topology->exchanges.size() + topology->queues.size() + topology->bindings.size();
  if (answers == 0) return restore_channels();
  auto& channel = open_channel(nullptr, nullptr);
  topology_channel_ = channel.number();
  auto left = std::make_shared<std::size_t>(answers);
  const Done one = [this, left, &channel, round = restoration_](const Outcome& outcome) {
    if (round != restoration_ || phase_ != Phase::kRestoring) return;
    if (!outcome.ok()) return doom(outcome.error());
    if (--*left != 0) return;
    topology_channel_ = 0;
    remove(channel);
    restore_channels();
  };
  for (const auto& exchange : topology->exchanges) channel.declare(exchange, one);
  for (const auto& queue : topology->queues) {
    channel.declare(queue, [one](const Outcome& outcome, const QueueStatus&) { one(outcome); });
  }
  for (const auto& binding : topology->bindings) channel.bind(binding, one);
}

void Connection::Impl::restore_channels() {
  restoring_channels_ = 1;  // ours, so that it cannot reach 0 within the loop
  const auto one = [this, round = restoration_] {
    if (round == restoration_ && phase_ == Phase::kRestoring && --restoring_channels_ == 0)
      finish_restoration();
  };
  auto early = std::exchange(early_channels_, {});
  for (auto& channel : channels_) {
    if (!channel || channel->state() != Channel::State::kLost) continue;
    ++restoring_channels_;
    Done on_open;
    for (auto& [number, done] : early) {
      if (number == channel->number()) on_open = std::move(done);
    }
    // A channel that can not be restored tells its own listener; the connection lives on.
    channel->impl_->open_or_restore([one, on_open = std::move(on_open)](const Outcome& outcome) {
      if (on_open) on_open(outcome);
      one();
    });
  }
  one();
}

void Connection::Impl::finish_restoration() {
  phase_ = Phase::kOpen;
  attempt_ = 0;
  if (heartbeat_.enabled()) {
    arm(heartbeat_.next_look(clock_.now()) - clock_.now());
  } else {
    uv_timer_stop(&handles_->timer);
  }
  ever_open_ = true;
  if (auto ready = std::exchange(on_ready_, nullptr)) {
    on_failed_ = nullptr;
    ready();
  } else {
    ++totals.reconnects;
    if (events.on_restored) events.on_restored();
  }
  tell_room();
}

}  // namespace brokerlab::amqp
