#pragma once

#include <cstdint>

namespace brokerlab {

// Whether somebody accepts TCP connections on this port of 127.0.0.1.
bool port_answers(std::uint16_t port);

// Whether an AMQP broker on this port of 127.0.0.1 answers the protocol header with connection.start. A
// paused broker still accepts connections (the kernel does), but does not answer. Blocks at most `limit_ms`;
// plain sockets, no login.
bool amqp_answers(std::uint16_t port, int limit_ms = 200);

}  // namespace brokerlab
