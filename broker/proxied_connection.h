#pragma once

#include <uv.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/lane.h"
#include "core/clock.h"
#include "core/precise_timer.h"

namespace brokerlab {

// One connection through a NetworkProxy: the client's socket, the broker's, and a lane in each direction.
// One loop. Lives until both sockets are closed, which it reports by on_gone; only then may it be destroyed.
class ProxiedConnection {
 public:
  struct Events {
    std::function<void(std::size_t bytes, Toxic::Stream stream)> on_passed;  // handed to the other side
    std::function<void()> on_cut;                                            // by a toxic
    std::function<void()> on_gone;
  };
  ProxiedConnection(uv_loop_t* loop, const Clock& clock, std::uint64_t seed, Events events);

  // Takes the connection that waits at `listener`, and connects to the broker.
  void open(uv_stream_t* listener, const sockaddr* broker);
  void set_toxics(const std::vector<Toxic>& toxics);  // those that befall this connection
  void close() { shut(false); }
  void cut();  // as close(), by a toxic

 private:
  // What is held for one direction: bytes on their way, then perhaps the sender's end.
  struct Flow {
    struct Chunk {
      std::string bytes;
      Nanoseconds due_ns = 0;
    };
    Flow(ProxiedConnection& owner, Toxic::Stream stream, uv_tcp_t& from, uv_tcp_t& to, std::uint64_t seed);

    ProxiedConnection& owner;
    Toxic::Stream stream;
    uv_tcp_t& from;
    uv_tcp_t& to;
    Lane lane;
    PreciseTimer timer;
    std::deque<Chunk> chunks;
    std::size_t held_bytes = 0;  // in chunks, and written but not taken by the kernel
    bool reading = false;
    std::optional<Nanoseconds> end_due_ns;
    bool ended = false;  // the end was passed on
  };
  struct Write;

  void start_reading(Flow& flow);
  void take(Flow& flow, ssize_t size);
  void pass_on(Flow& flow);
  void write(Flow& flow, std::string bytes);
  void pass_end(Flow& flow);
  bool cut_if_due(Flow& flow, Nanoseconds now);
  void wait_for_next(Flow& flow);
  void shut(bool reset);

  static void on_connected(uv_connect_t* request, int status);
  static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer);
  static void on_written(uv_write_t* request, int status);

  uv_loop_t* loop_;
  const Clock& clock_;
  Events events_;
  uv_tcp_t client_{}, broker_{};
  uv_connect_t connecting_{};
  Flow up_, down_;
  std::array<char, 65536> buffer_;
  bool shut_ = false;
  int open_handles_ = 0;
};

}  // namespace brokerlab
