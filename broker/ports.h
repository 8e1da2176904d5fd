#pragma once

#include <cstdint>
#include <vector>

namespace brokerlab {

// The range private brokers take their ports from: below 32768, where Linux takes the client side of
// connections from. A probe of a port in that range can connect to itself.
inline constexpr std::uint16_t kLowestPort = 20000;
inline constexpr std::uint16_t kHighestPort = 32000;

// True when nobody listens on this port of 127.0.0.1 (nor of any other address of the host).
bool port_is_free(std::uint16_t port);

// `count` different free ports, chosen at random so that brokers started side by side hardly ever choose the
// same. Throws Error when there are not enough.
std::vector<std::uint16_t> free_ports(int count);

}  // namespace brokerlab
