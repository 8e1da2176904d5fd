#include "amqp/tls_transport.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <utility>

#include "core/error.h"

namespace brokerlab::amqp {
namespace {

std::string last_openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  if (code == 0) return "";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("error {:x}", code);
}

[[noreturn]] void refuse_file(const std::string& what, const std::string& file) {
  throw Error(fmt::format("cannot use the {}: {}", what, last_openssl_error()), file,
              "give a readable PEM file");
}

bool is_ip_address(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1;
}

// What a broker that did not like our certificate says: from TLS 1.3 on, after the handshake.
void explain_alert(unsigned long code, AmqpError& error) {
  switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      error.summary = "the broker asks for a client certificate";
      error.remedy = "name one, and its key, in the broker's URI: certfile and keyfile";
      return;
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      error.summary = "the broker does not know the CA that signed our certificate";
      error.remedy =
          "show it another one (certfile and keyfile of the URI), or name that CA in its cacertfile";
      return;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      error.summary = "the broker does not take our certificate";
      error.remedy =
          "show it another one (certfile and keyfile of the URI); its log says what is wrong with it";
      return;
    default:
      return;
  }
}

}  // namespace

TlsTransport::TlsTransport(std::unique_ptr<Transport> inner, const TlsOptions& options,
                           const std::string& host)
    : inner_(std::move(inner)), host_(host) {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!context_) throw Error("OpenSSL cannot be set up: " + last_openssl_error(), "", "");
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_RENEGOTIATION);
  load_files(options);
  session_.reset(SSL_new(context_.get()));
  from_peer_ = BIO_new(BIO_s_mem());
  to_peer_ = BIO_new(BIO_s_mem());
  if (!session_ || from_peer_ == nullptr || to_peer_ == nullptr)
    throw Error("OpenSSL: out of memory", "", "");
  SSL_set_bio(session_.get(), from_peer_, to_peer_);
  SSL_set_connect_state(session_.get());
  if (!is_ip_address(host)) SSL_set_tlsext_host_name(session_.get(), host.c_str());
  if (!options.insecure) verify_peer(host);
}

TlsTransport::~TlsTransport() { close(); }

void TlsTransport::load_files(const TlsOptions& options) {
  auto* context = context_.get();
  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1) {
      refuse_file("CA file", options.ca_file);
    }
  } else {
    SSL_CTX_set_default_verify_paths(context);
  }
  if (options.certificate_file.empty()) return;
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    refuse_file("client certificate", options.certificate_file);
  }
  const auto& key = options.key_file.empty() ? options.certificate_file : options.key_file;
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    refuse_file("client key", key);
}

void TlsTransport::verify_peer(const std::string& host) {
  SSL_set_verify(session_.get(), SSL_VERIFY_PEER, nullptr);
  auto* parameters = SSL_get0_param(session_.get());
  const int ok = is_ip_address(host) ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str())
                                     : X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
  if (ok != 1) throw Error("the host's name cannot be verified", host, "check the broker's URI");
}

void TlsTransport::connect(Transport::Listener& listener) {
  listener_ = &listener;
  inner_->connect(*this);
}

void TlsTransport::on_transport_ready() {
  shake_hands();
  flush();
}

void TlsTransport::on_bytes(std::size_t bytes) {
  // A memory BIO takes everything or has no memory.
  BIO_write(from_peer_, incoming_.get(), static_cast<int>(bytes));
  if (!secure_) {
    const bool done = shake_hands();
    flush();
    if (!done || listener_ == nullptr) return;
    listener_->on_transport_ready();
  }
  read_plain();
  flush();  // what OpenSSL answers on its own, e.g. a key update
}

bool TlsTransport::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(session_.get());
  if (result == 1) {
    secure_ = true;
    return true;
  }
  const int error = SSL_get_error(session_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
  const auto reason = handshake_error();
  flush();  // the alert that tells the peer why
  fail(reason);
  return false;
}

AmqpError TlsTransport::handshake_error() const {
  const long verified = SSL_get_verify_result(session_.get());
  if (verified != X509_V_OK) {
    const bool name = verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH;
    auto error =
        AmqpError::make(ErrorKind::kTls,
                        name ? fmt::format("the broker's certificate is not for {}", host_)
                             : "the broker's certificate is not trusted",
                        name ? "use the host name in the certificate"
                             : "give the CA that signed it (CA file), or correct the broker's certificate");
    error.text = X509_verify_cert_error_string(verified);
    return error;
  }
  const unsigned long code = ERR_peek_last_error();
  auto error = AmqpError::make(ErrorKind::kTls, "the TLS handshake failed",
                               "see the broker's log; it may ask for a client certificate");
  if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
    error.summary = "the peer does not speak TLS on this port";
    error.remedy =
        "write amqp:// in the broker's URI, or the port of its TLS listener (5671 unless configured "
        "otherwise)";
  }
  explain_alert(code, error);
  error.text = last_openssl_error();
  return error;
}

void TlsTransport::read_plain() {
  while (listener_ != nullptr) {
    const auto space = listener_->read_space();
    std::size_t bytes = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(session_.get(), space.data(), space.size(), &bytes);
    if (result == 1) {
      listener_->on_bytes(bytes);
      continue;
    }
    const int error = SSL_get_error(session_.get(), result);
    if (error == SSL_ERROR_WANT_READ) return;
    if (error == SSL_ERROR_ZERO_RETURN) {
      return fail(AmqpError::make(ErrorKind::kUnreachable, "the broker closed the connection",
                                  "see the broker's log"));
    }
    auto reason = AmqpError::make(ErrorKind::kTls, "the TLS stream broke",
                                  "see the broker's log; it may ask for a client certificate");
    explain_alert(ERR_peek_last_error(), reason);
    reason.text = last_openssl_error();
    return fail(reason);
  }
}

bool TlsTransport::write(std::span<const std::byte> bytes) {
  ERR_clear_error();
  std::size_t taken = 0;
  // Takes all: the BIO below grows. A failure means a broken session, which the reading side reports.
  SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &taken);
  flush();
  write_waits_ = encrypted_.pending_bytes() != 0;
  return !write_waits_;
}

void TlsTransport::flush() {
  char* out = nullptr;
  const long bytes = BIO_get_mem_data(to_peer_, &out);
  if (bytes > 0) {
    encrypted_.append({reinterpret_cast<const std::byte*>(out), static_cast<std::size_t>(bytes)});
    static_cast<void>(BIO_reset(to_peer_));
  }
  encrypted_.flush(*inner_);
}

void TlsTransport::on_written() {
  encrypted_.on_written();
  flush();
  if (encrypted_.pending_bytes() != 0 || !std::exchange(write_waits_, false)) return;
  if (listener_ != nullptr) listener_->on_written();
}

void TlsTransport::on_transport_closed(const AmqpError& reason) {
  if (auto* hearer = std::exchange(listener_, nullptr)) hearer->on_transport_closed(reason);
}

void TlsTransport::fail(const AmqpError& reason) {
  inner_->close();
  if (auto* hearer = std::exchange(listener_, nullptr)) hearer->on_transport_closed(reason);
}

void TlsTransport::close() {
  // The good-bye of TLS, if the socket takes it at once; AMQP has said its own before.
  if (secure_ && std::exchange(listener_, nullptr) != nullptr) {
    SSL_shutdown(session_.get());
    flush();
  }
  listener_ = nullptr;
  inner_->close();
}

}  // namespace brokerlab::amqp
