#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brokerlab::amqp {

// amqp[s]://[user[:password]@]host[:port][/vhost], percent-decoded, IPv6 in brackets. Without a user:
// guest/guest; without a path (or with "/"): vhost "/", as people mean it. "/%2F" is "/", too.
struct Uri {
  bool tls = false;
  std::string user = "guest";
  std::string password = "guest";
  std::string host = "127.0.0.1";
  std::uint16_t port = 5672;  // 5671 for amqps
  std::string vhost = "/";

  // Throws Error (kUsage) that says what is wrong; the message never contains the password.
  static Uri parse(std::string_view text);

  // Scheme, host, port and vhost only: for results, logs and messages.
  std::string safe() const;
  // The whole URI, password included, percent-encoded: only for a pipe to our own child.
  std::string full() const;
};

}  // namespace brokerlab::amqp
