#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brokerlab {

// Where a service of ours listens: HOST:PORT, [IPv6]:PORT, or PORT or :PORT alone for this machine only. Port
// 0 lets the system choose.
struct ListenAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;

  // Throws Error (kUsage), naming the option.
  static ListenAddress parse(std::string_view text, const std::string& option = "--listen");

  bool loopback() const;     // nobody but this machine can reach it
  std::string text() const;  // "127.0.0.1:8081", "[::1]:8081"
};

// The host of "HOST:PORT" or "[IPv6]:PORT", in lower case and without brackets; the port may be missing.
// Empty for what is neither.
std::string host_of(std::string_view authority);
// An address in digits, of IPv4 or IPv6.
bool is_ip_literal(const std::string& host);

}  // namespace brokerlab
