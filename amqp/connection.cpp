#include "amqp/connection.h"

#include <fmt/format.h>

#include <algorithm>

#include "amqp/connection_impl.h"
#include "amqp/tcp_transport.h"
#include "amqp/tls_transport.h"
#include "core/units.h"

namespace brokerlab::amqp {
namespace {

constexpr std::uint16_t kReplySuccess = 200;
constexpr std::size_t kReadBufferBytes = std::size_t{256} * 1024;  // 1 ms of coalesced reads at 250 MB/s

ConnectionOptions sane(ConnectionOptions options) {
  options.frame_max = std::clamp(options.frame_max == 0 ? kFrameMaxDefault : options.frame_max,
                                 kFrameMaxLowest, kFrameMaxHighest);
  options.heartbeat_s = std::clamp(options.heartbeat_s, 0, 65535);
  return options;
}

std::size_t read_buffer_bytes(const ConnectionOptions& options) {
  return std::max<std::size_t>(kReadBufferBytes, std::size_t{2} * options.frame_max);
}

}  // namespace

Connection::Impl::Impl(uv_loop_t* loop, const Clock& clock, ConnectionOptions given, TransportFactory factory)
    : Link(totals, given.output_limit_bytes),
      options(sane(std::move(given))),
      loop_(loop),
      clock_(clock),
      factory_(std::move(factory)),
      handles_(new Handles),
      reader_(*this, read_buffer_bytes(options)) {
  if (!factory_) factory_ = [this] { return make_transport(); };
  handles_->impl = this;
  uv_timer_init(loop, &handles_->timer);
  uv_prepare_init(loop, &handles_->prepare);
  uv_check_init(loop, &handles_->check);
  handles_->timer.data = handles_->prepare.data = handles_->check.data = handles_;
}

Connection::Impl::~Impl() {
  *alive_ = false;
  events = {};  // nobody hears of what ends now
  transport_.reset();
  for (uv_handle_t* handle :
       {reinterpret_cast<uv_handle_t*>(&handles_->timer), reinterpret_cast<uv_handle_t*>(&handles_->prepare),
        reinterpret_cast<uv_handle_t*>(&handles_->check)}) {
    uv_close(handle, [](uv_handle_t* closed) {
      auto* handles = static_cast<Handles*>(closed->data);
      if (--handles->open == 0) delete handles;
    });
  }
}

std::unique_ptr<Transport> Connection::Impl::make_transport() {
  auto tcp = std::make_unique<TcpTransport>(
      loop_, clock_,
      TcpOptions{options.uri.host, options.uri.port, options.read_coalescing_ns,
                 [this](Nanoseconds start, Nanoseconds end) {
                   if (events.on_write_blocked) events.on_write_blocked(start, end);
                 }});
  if (!options.uri.tls) return tcp;
  const Uri& uri = options.uri;
  TlsOptions tls = options.tls;
  if (!uri.ca_file.empty()) tls.ca_file = uri.ca_file;
  if (!uri.certificate_file.empty()) tls.certificate_file = uri.certificate_file;
  if (!uri.key_file.empty()) tls.key_file = uri.key_file;
  return std::make_unique<TlsTransport>(std::move(tcp), tls,
                                        uri.server_name.empty() ? uri.host : uri.server_name);
}

void Connection::Impl::open(std::function<void()> on_ready, std::function<void(const AmqpError&)> on_failed) {
  on_ready_ = std::move(on_ready);
  on_failed_ = std::move(on_failed);
  attempt_ = 0;
  start_attempt();
}

void Connection::Impl::start_attempt() {
  phase_ = Phase::kConnecting;
  doomed_.reset();
  reader_.reset();
  handshake.emplace(options, writer);
  arm(options.handshake_timeout_ns);
  try {
    transport_ = factory_();
  } catch (const Error& error) {
    return doom(AmqpError::make(ErrorKind::kTls, error.summary(), error.remedy()));
  }
  transport_->connect(*this);
}

// Rounded up: libuv's timers count whole milliseconds.
void Connection::Impl::arm(Nanoseconds delay_ns) {
  constexpr Nanoseconds kMillisecond = 1'000'000;
  const auto delay_ms =
      static_cast<std::uint64_t>(std::max<Nanoseconds>(0, (delay_ns + kMillisecond - 1) / kMillisecond));
  uv_update_time(loop_);  // a loop that did not run for a while counts from its last turn
  uv_timer_start(
      &handles_->timer, [](uv_timer_t* timer) { static_cast<Handles*>(timer->data)->impl->on_timer(); },
      delay_ms, 0);
}

void Connection::Impl::on_timer() {
  switch (phase_) {
    case Phase::kConnecting:
      return lose(
          AmqpError::make(ErrorKind::kUnreachable,
                          fmt::format("no connection to {}:{} within {}", options.uri.host, options.uri.port,
                                      format_duration(options.handshake_timeout_ns)),
                          "check host and port; a firewall may swallow the attempt"));
    case Phase::kShakingHands:
      return lose(AmqpError::make(
          ErrorKind::kUnreachable,
          fmt::format("the peer did not send {} within {}", handshake->awaited(),
                      format_duration(options.handshake_timeout_ns)),
          "check that the port speaks AMQP, and that the broker is neither paused nor overloaded"));
    case Phase::kRestoring:
      return lose(AmqpError::make(ErrorKind::kUnreachable,
                                  "the broker did not answer the opening of channels in time",
                                  "see whether it is paused, overloaded or under an alarm"));
    case Phase::kOpen:
      return look_for_heartbeat();
    case Phase::kClosing:
      return finish_close();
    case Phase::kWaiting:
      return start_attempt();
    case Phase::kIdle:
    case Phase::kClosed:
      return;
  }
}

void Connection::Impl::look_for_heartbeat() {
  const auto verdict = heartbeat_.look(clock_.now(), totals.bytes_in, totals.bytes_out);
  if (verdict == Heartbeat::Verdict::kPeerMissing) {
    return lose(AmqpError::make(
        ErrorKind::kHeartbeat,
        fmt::format("the broker fell silent: two heartbeats of {} s missing", handshake->heartbeat_s()),
        "see whether the broker or the network hangs"));
  }
  if (verdict == Heartbeat::Verdict::kSend && !writer.output().in_flight()) {
    writer.heartbeat();
    wrote();
  }
  arm(heartbeat_.next_look(clock_.now()) - clock_.now());
}

void Connection::Impl::want_turn_end() {
  // Whichever comes first: before the loop sleeps (written from a timer), or after it polled (from a read).
  uv_prepare_start(&handles_->prepare,
                   [](uv_prepare_t* handle) { static_cast<Handles*>(handle->data)->impl->on_turn_end(); });
  uv_check_start(&handles_->check,
                 [](uv_check_t* handle) { static_cast<Handles*>(handle->data)->impl->on_turn_end(); });
}

void Connection::Impl::on_turn_end() {
  dirty_ = false;
  uv_prepare_stop(&handles_->prepare);
  uv_check_stop(&handles_->check);
  flush_output();
  if (doomed_) lose(*std::exchange(doomed_, std::nullopt));
  run_deferred();
}

void Connection::Impl::run_deferred() {
  const auto tasks = std::exchange(deferred_, {});
  const auto alive = alive_;  // a task may destroy the connection
  for (const auto& task : tasks) {
    task();
    if (!*alive) return;
  }
}

void Connection::Impl::defer(std::function<void()> task) {
  deferred_.push_back(std::move(task));
  if (dirty_) return;
  dirty_ = true;
  want_turn_end();
}

void Connection::Impl::flush_output() {
  if (!transport_) return;
  const std::size_t bytes = writer.output().flush(*transport_);
  if (bytes == 0) return;
  ++totals.writes;
  totals.bytes_out += static_cast<std::int64_t>(bytes);
  ++output_block_;
  if (!writer.output().in_flight()) tell_taken();
}

void Connection::Impl::on_written() {
  writer.output().on_written();
  tell_taken();
  flush_output();
  tell_room();
}

// No block goes before the one ahead of it has gone: all but the one that is being filled.
void Connection::Impl::tell_taken() const {
  if (events.on_block_taken) events.on_block_taken(output_block_ - 1);
}

void Connection::Impl::tell_room() {
  if (!room_expected_ || phase_ != Phase::kOpen) return;
  room_expected_ = false;
  // Round-robin: the buffer may be full again before the last one's turn.
  const std::size_t channels = channels_.size();
  for (std::size_t i = 0; i < channels; ++i) {
    if (phase_ != Phase::kOpen || blocked || !has_room()) {
      room_expected_ = true;
      return;
    }
    next_room_ = (next_room_ + 1) % channels_.size();
    if (auto* channel = channels_[next_room_].get()) channel->impl_->on_room();
  }
}

void Connection::Impl::doom(AmqpError reason) {
  if (!doomed_) doomed_ = std::move(reason);
  if (dirty_) return;
  dirty_ = true;
  want_turn_end();
}

void Connection::Impl::drop_transport() {
  // Only closed: we may be within its callback. The next attempt replaces it.
  if (transport_) transport_->close();
  writer.output().reset();
  uv_timer_stop(&handles_->timer);
  up = false;
}

void Connection::Impl::lose(const AmqpError& reason) {
  if (phase_ == Phase::kIdle || phase_ == Phase::kWaiting || phase_ == Phase::kClosed) return;
  drop_transport();
  if (phase_ == Phase::kClosing) return finish_close();
  const AmqpError explained = phase_ == Phase::kShakingHands ? handshake->explain_loss(reason) : reason;
  const bool was_open = phase_ == Phase::kOpen;
  phase_ = Phase::kWaiting;
  set_blocked(false, "");
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (channels_[i]) channels_[i]->impl_->on_connection_lost(explained);
  }
  if (was_open) {
    attempt_ = 0;
    if (events.on_lost) events.on_lost(explained);
  }
  if (phase_ == Phase::kWaiting) retry_or_give_up(explained);  // unless a callback has closed us
}

void Connection::Impl::retry_or_give_up(const AmqpError& reason) {
  // What worked once may work again, e.g. while a broker boots and does not know its vhosts yet.
  if (attempt_ < options.reconnect.tries && (ever_open_ || reason.retry_may_help())) {
    ++attempt_;
    // Each of the other nodes is asked at once; only when all have been is there a reason to wait.
    const bool fresh_node = static_cast<std::size_t>(attempt_) <= options.other_uris.size();
    if (events.on_retry) events.on_retry(attempt_, options.reconnect.tries, reason);
    go_to_next_node();
    arm(fresh_node ? 0 : options.reconnect.delay_ns);
    return;
  }
  phase_ = Phase::kClosed;
  defer([this, reason] {
    auto failed = std::exchange(on_failed_, nullptr);
    on_ready_ = nullptr;
    const auto ended = events.on_ended;
    if (failed) {
      failed(reason);
    } else if (ended) {
      ended(reason);
    }
  });
}

void Connection::Impl::go_to_next_node() {
  if (options.other_uris.empty()) return;
  options.other_uris.push_back(std::move(options.uri));
  options.uri = std::move(options.other_uris.front());
  options.other_uris.erase(options.other_uris.begin());
}

void Connection::Impl::close(std::function<void()> on_closed) {
  if (on_closed) on_closed_.push_back(std::move(on_closed));
  if (phase_ == Phase::kClosing) return;
  const auto reason = AmqpError::make(ErrorKind::kUsage, "the connection was closed by its owner", "");
  if (phase_ != Phase::kOpen) {
    drop_transport();
    if (auto failed = std::exchange(on_failed_, nullptr)) defer([failed, reason] { failed(reason); });
    return finish_close();
  }
  phase_ = Phase::kClosing;
  up = false;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (channels_[i]) channels_[i]->impl_->on_connection_closing(reason);
  }
  amqp_connection_close_t fields{};
  fields.reply_code = kReplySuccess;
  fields.reply_text = to_wire_bytes("done");
  writer.method(0, AMQP_CONNECTION_CLOSE_METHOD, &fields);
  wrote();
  arm(options.close_timeout_ns);
}

void Connection::Impl::finish_close() {
  drop_transport();
  phase_ = Phase::kClosed;
  set_blocked(false, "");
  for (auto& closed : std::exchange(on_closed_, {})) defer(std::move(closed));
}

std::uint16_t Connection::Impl::free_number() const {
  const std::size_t limit =
      handshake && handshake->channel_max() != 0 ? handshake->channel_max() : options.channel_max;
  for (std::size_t number = 1; number < channels_.size(); ++number) {
    if (!channels_[number]) return static_cast<std::uint16_t>(number);
  }
  const std::size_t number = std::max<std::size_t>(1, channels_.size());
  if (number > limit) {
    throw Error(fmt::format("the connection has {} channels already, all that the broker allows", limit),
                options.uri.safe(), "lower channels_per_connection, or raise channel_max of the broker",
                ExitStatus::kUsage);
  }
  return static_cast<std::uint16_t>(number);
}

Channel& Connection::Impl::open_channel(ChannelListener* listener, Done on_open) {
  const std::uint16_t number = free_number();
  if (channels_.size() <= number) channels_.resize(std::size_t{number} + 1);
  channels_[number].reset(new Channel(std::make_unique<Channel::Impl>(*this, number, listener)));
  if (up) {
    channels_[number]->impl_->open(std::move(on_open));
  } else if (on_open) {
    early_channels_.emplace_back(number, std::move(on_open));
  }
  return *channels_[number];
}

void Connection::Impl::remove(Channel& channel) {
  const std::uint16_t number = channel.number();
  std::erase_if(early_channels_, [number](const auto& early) { return early.first == number; });
  channel.impl_->abandon(
      [this, number](const Outcome&) { defer([this, number] { channels_[number].reset(); }); });
}

Connection::Connection(uv_loop_t* loop, const Clock& clock, ConnectionOptions options)
    : Connection(loop, clock, std::move(options), nullptr) {}
Connection::Connection(uv_loop_t* loop, const Clock& clock, ConnectionOptions options,
                       TransportFactory factory)
    : impl_(std::make_unique<Impl>(loop, clock, std::move(options), std::move(factory))) {}
Connection::~Connection() = default;

ConnectionEvents& Connection::events() { return impl_->events; }
void Connection::open(std::function<void()> on_ready, std::function<void(const AmqpError&)> on_failed) {
  impl_->open(std::move(on_ready), std::move(on_failed));
}
void Connection::close(std::function<void()> on_closed) { impl_->close(std::move(on_closed)); }
const Uri& Connection::uri() const { return impl_->options.uri; }
bool Connection::is_open() const { return impl_->is_open(); }
bool Connection::blocked() const { return impl_->blocked; }
bool Connection::write_blocked() const { return impl_->writer.output().in_flight(); }
Channel& Connection::open_channel(ChannelListener* listener, Done on_open) {
  return impl_->open_channel(listener, std::move(on_open));
}
void Connection::remove(Channel& channel) { impl_->remove(channel); }
void Connection::restore_topology(Topology topology) { impl_->topology = std::move(topology); }
void Connection::flush() { impl_->flush_output(); }
std::uint64_t Connection::output_block() const { return impl_->output_block(); }
std::size_t Connection::output_bytes() const { return impl_->writer.output().pending_bytes(); }
const ConnectionCounters& Connection::counters() const { return impl_->totals; }
const ServerProperties& Connection::server() const {
  static const ServerProperties kNone;
  return impl_->handshake ? impl_->handshake->server() : kNone;
}
std::uint32_t Connection::frame_max() const {
  return impl_->handshake ? impl_->handshake->frame_max() : impl_->options.frame_max;
}
int Connection::heartbeat_s() const { return impl_->handshake ? impl_->handshake->heartbeat_s() : 0; }

}  // namespace brokerlab::amqp
