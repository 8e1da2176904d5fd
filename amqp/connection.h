#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "amqp/amqp_error.h"
#include "amqp/channel.h"
#include "amqp/frame.h"
#include "amqp/tls_options.h"
#include "amqp/uri.h"
#include "core/clock.h"

namespace brokerlab::amqp {

struct Topology;
class Transport;

using TransportFactory = std::function<std::unique_ptr<Transport>()>;

struct ReconnectPolicy {
  int tries = 0;  // after a failed attempt or a lost connection; 0: none
  Nanoseconds delay_ns = 2 * kNanosecondsPerSecond;
};

struct ConnectionOptions {
  Uri uri;
  // Other nodes of the same cluster: tried in turn, then `uri` again, whenever one is lost or not reached.
  std::vector<Uri> other_uris;
  TlsOptions tls;
  int heartbeat_s = 10;                   // 0 switches heartbeats off; the broker may ask for less
  std::string client_name = "brokerlab";  // shown by the broker's management
  std::uint32_t frame_max = kFrameMaxDefault;
  std::uint16_t channel_max = 2047;
  // Above 0: after each read the socket rests for so long, so that one wake-up takes many messages. Costs up
  // to that much latency per message: recorded in the result.
  Nanoseconds read_coalescing_ns = 0;
  Nanoseconds handshake_timeout_ns = 10 * kNanosecondsPerSecond;
  Nanoseconds close_timeout_ns = 2 * kNanosecondsPerSecond;
  std::size_t output_limit_bytes = 256 * 1024;  // Channel::writable() is false beyond it
  ReconnectPolicy reconnect;
};

// Cumulative over reconnects.
struct ConnectionCounters {
  std::int64_t bytes_out = 0, bytes_in = 0;
  std::int64_t frames_out = 0, frames_in = 0;
  std::int64_t writes = 0, reads = 0;  // system calls that moved bytes
  std::int64_t messages_out = 0, messages_in = 0;
  std::int64_t reconnects = 0;
};

// What the broker said of itself in connection.start.
struct ServerProperties {
  std::string product, version, platform, cluster_name;
};

// All optional. Called on the loop's thread.
struct ConnectionEvents {
  std::function<void(std::string_view reason)> on_blocked;  // by an alarm of the broker
  std::function<void()> on_unblocked;                       // or lost while blocked
  // An open connection is gone. Then, with a reconnect policy, on_retry before each try, and at last
  // on_restored (channels, topology and consumers are back) or on_ended. Without one, on_ended follows at
  // once.
  std::function<void(const AmqpError& reason)> on_lost;
  std::function<void(int attempt, int of, const AmqpError& reason)> on_retry;
  std::function<void()> on_restored;
  std::function<void(const AmqpError& reason)> on_ended;  // lost for good
  // The socket took no more bytes from `start` to `end`.
  std::function<void(Nanoseconds start, Nanoseconds end)> on_write_blocked;
  // The kernel has taken all output up to and with this block. What a lost connection still held is never
  // told of.
  std::function<void(std::uint64_t block)> on_block_taken;
};

// An AMQP 0-9-1 connection on a libuv loop: never blocks, one thread, no globals.
//
// Lifetime: may be destroyed at any time outside callbacks of itself, its channels and its consumers, but
// within those of close(), on_failed and on_ended; the loop must run once more afterwards, so that libuv can
// close the handles. Destroying an open connection just drops it; close() says good-bye first.
//
// Callbacks must not throw: libuv is below them. The process must ignore SIGPIPE, like every user of libuv.
class Connection {
 public:
  Connection(uv_loop_t* loop, const Clock& clock, ConnectionOptions options);
  // For tests: over transports of the caller's making, one per attempt.
  Connection(uv_loop_t* loop, const Clock& clock, ConnectionOptions options, TransportFactory factory);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ConnectionEvents& events();

  // Exactly one of the two is called, later. Failed attempts are repeated by the reconnect policy
  // (events().on_retry tells) unless another try cannot help, e.g. with a wrong password.
  void open(std::function<void()> on_ready, std::function<void(const AmqpError&)> on_failed);
  // Does not wait for confirms: that is the caller's business before. Flushes, says good-bye and waits for
  // the answer, at most close_timeout_ns. Also ends reconnecting. `on_closed` is called exactly once, later.
  // Operations still waiting are answered with an error first.
  void close(std::function<void()> on_closed);

  // Of the present attempt or connection.
  const Uri& uri() const;
  bool is_open() const;
  bool blocked() const;  // connection.blocked holds
  bool write_blocked() const;

  // The channel opens in the background; use it at once. On a connection that is not open yet it waits for
  // that, and operations are refused until `on_open`. `listener` may be null and must outlive the channel.
  // Throws Error (kUsage) when the connection has as many channels as the broker allows.
  Channel& open_channel(ChannelListener* listener, Done on_open = nullptr);
  // Closes without waiting, and destroys at the end of this turn of the loop; its listener and handlers hear
  // nothing more.
  void remove(Channel& channel);

  // Declared again after each reconnect, before consumers are restored. Replaces the former one.
  void restore_topology(Topology topology);

  // Writes out now what is buffered, without waiting for the end of this turn of the loop.
  void flush();
  std::size_t output_bytes() const;  // buffered and not yet taken by the kernel
  // The block of output that is being filled: numbers rise by one with each that is handed to the socket.
  std::uint64_t output_block() const;

  const ConnectionCounters& counters() const;
  const ServerProperties& server() const;
  std::uint32_t frame_max() const;  // as negotiated
  int heartbeat_s() const;          // as negotiated

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace brokerlab::amqp
