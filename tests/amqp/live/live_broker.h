#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "amqp/tls_options.h"
#include "amqp/uri.h"

namespace brokerlab::amqp {

// One private RabbitMQ node for a whole test program, in a folder of its own below the working directory,
// with a plain and a TLS listener (certificates of a CA made on the spot). Dies with this process.
class LiveBroker {
 public:
  LiveBroker();
  ~LiveBroker();
  LiveBroker(const LiveBroker&) = delete;
  LiveBroker& operator=(const LiveBroker&) = delete;

  Uri uri() const;
  Uri tls_uri(const std::string& host) const;
  TlsOptions trusted() const;  // trusts the broker's CA
  // And shows a certificate: "client", which the broker trusts, or "stranger" (tests/certificates.h).
  TlsOptions with_certificate(const std::string& name = "client") const;
  std::string foreign_ca() const;  // a CA that did not sign the broker's certificate

  // Runs rabbitmqctl and returns what it printed; fails the test when it fails.
  std::string control(const std::string& arguments) const;

  void pause() const;
  void resume() const;

  // The one of this program; made before the first test.
  static LiveBroker& instance();

 private:
  void write_configuration() const;
  void start_epmd();
  void start_node();
  void wait_until_ready() const;
  void set_environment() const;

  std::filesystem::path directory_;
  std::uint16_t port_ = 0, tls_port_ = 0, epmd_port_ = 0, distribution_port_ = 0;
  pid_t epmd_ = -1, node_ = -1;
};

}  // namespace brokerlab::amqp
