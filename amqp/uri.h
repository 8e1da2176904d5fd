#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brokerlab::amqp {

// amqp[s]://[user[:password]@]host[:port][/vhost][?key=value&…], percent-decoded, IPv6 in brackets. Without a
// user: guest/guest; without a path (or with "/"): vhost "/", as people mean it. "/%2F" is "/", too. The keys
// are those of RabbitMQ's own clients: cacertfile, certfile, keyfile, server_name_indication, auth_mechanism
// (plain or external).
struct Uri {
  bool tls = false;
  std::string user = "guest";
  std::string password = "guest";
  std::string host = "127.0.0.1";
  std::uint16_t port = 5672;  // 5671 for amqps
  std::string vhost = "/";
  // Of TLS, PEM files; empty: not given.
  std::string ca_file, certificate_file, key_file;
  std::string server_name;  // that the certificate is to show, instead of the host
  bool external = false;    // log in by the client's certificate instead of the password

  // Throws Error (kUsage) that says what is wrong; the message never contains the password.
  static Uri parse(std::string_view text);

  // Scheme, host, port and vhost only: for results, logs and messages.
  std::string safe() const;
  // The whole URI, password included, percent-encoded: only for a pipe to our own child.
  std::string full() const;
};

}  // namespace brokerlab::amqp
