#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "amqp/transport.h"
#include "core/clock.h"

namespace brokerlab::amqp {

struct TcpOptions {
  std::string host;
  std::uint16_t port = 0;
  // Above 0: after each read the socket rests for so long.
  Nanoseconds read_rest_ns = 0;
  // The socket took no more bytes from `start` to `end`.
  std::function<void(Nanoseconds start, Nanoseconds end)> on_write_blocked;
};

// TCP by libuv. Tries every address of the host in turn. A write goes to the kernel at once as far as it
// takes it.
class TcpTransport final : public Transport {
 public:
  TcpTransport(uv_loop_t* loop, const Clock& clock, TcpOptions options);
  ~TcpTransport() override;

  void connect(Listener& listener) override;
  bool write(std::span<const std::byte> bytes) override;
  void close() override;

 private:
  struct State;
  State* state_;  // outlives this object until libuv has let go of it
};

}  // namespace brokerlab::amqp
