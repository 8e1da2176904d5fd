#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "amqp/output_buffer.h"
#include "amqp/tls_options.h"
#include "amqp/transport.h"

namespace brokerlab::amqp {

// TLS 1.2 or newer over another transport, by OpenSSL between two memory BIOs: it never touches a socket
// itself. Chain and host name (or IP address) are verified unless the options say insecure.
class TlsTransport final : public Transport, private Transport::Listener {
 public:
  // Throws Error when a file of the options cannot be read.
  TlsTransport(std::unique_ptr<Transport> inner, const TlsOptions& options, const std::string& host);
  ~TlsTransport() override;

  void connect(Transport::Listener& listener) override;
  bool write(std::span<const std::byte> bytes) override;
  void close() override;

 private:
  static constexpr std::size_t kIncomingBytes = std::size_t{128} * 1024;

  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
  };

  void on_transport_ready() override;
  std::span<std::byte> read_space() override { return {incoming_.get(), kIncomingBytes}; }
  void on_bytes(std::size_t bytes) override;
  void on_written() override;
  void on_transport_closed(const AmqpError& reason) override;

  void load_files(const TlsOptions& options);
  void verify_peer(const std::string& host);
  bool shake_hands();  // true when done
  void read_plain();
  void flush();
  void fail(const AmqpError& reason);
  AmqpError handshake_error() const;

  std::unique_ptr<Transport> inner_;
  std::string host_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::unique_ptr<SSL, FreeSession> session_;
  BIO* from_peer_ = nullptr;  // owned by session_
  BIO* to_peer_ = nullptr;    // owned by session_
  Transport::Listener* listener_ = nullptr;
  OutputBuffer encrypted_;
  std::unique_ptr<std::byte[]> incoming_{new std::byte[kIncomingBytes]};
  bool secure_ = false;
  bool write_waits_ = false;  // a write() of ours returned false
};

}  // namespace brokerlab::amqp
