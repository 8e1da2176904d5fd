#pragma once

#include <cstddef>
#include <span>

#include "amqp/amqp_error.h"

namespace brokerlab::amqp {

// A stream of bytes to a peer: the seam below the connection. TCP, TLS over another transport, or a script in
// a test. One loop, one thread. No callback comes from within a call of the same transport, except that
// connect() may fail at once; and none after close() or destruction. A listener may close the transport from
// a callback, but not destroy it.
class Transport {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_transport_ready() = 0;
    // Where the next bytes go; never empty. Valid until on_bytes.
    virtual std::span<std::byte> read_space() = 0;
    virtual void on_bytes(std::size_t bytes) = 0;
    // A write that returned false is through.
    virtual void on_written() = 0;
    // Never became ready, or was lost. The last callback.
    virtual void on_transport_closed(const AmqpError& reason) = 0;
  };

  virtual ~Transport() = default;
  virtual void connect(Listener& listener) = 0;
  // True: all taken. False: `bytes` must stay as they are until on_written, and no further write before that.
  virtual bool write(std::span<const std::byte> bytes) = 0;
  virtual void close() = 0;
};

}  // namespace brokerlab::amqp
