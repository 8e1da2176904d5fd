#include "amqp/content_assembly.h"

namespace brokerlab::amqp {
namespace {

constexpr std::size_t kKeepBytes = 256 * 1024;

AmqpError broken(const char* what) {
  return AmqpError::make(ErrorKind::kNotAmqp, std::string("the peer broke the AMQP protocol: ") + what,
                         "check that the port belongs to a RabbitMQ node");
}

}  // namespace

void ContentAssembly::begin(std::uint32_t method, std::span<const std::byte> payload) {
  clear();
  method_ = method;
  method_payload_.append(payload);
}

Outcome ContentAssembly::add_header(std::span<const std::byte> payload) {
  if (!active() || has_header_) return broken("a content header without its method");
  const auto header = parse_content_header(payload);
  if (!header) return broken("a malformed content header");
  if (header->body_bytes > kLargestBody) return broken("a message body beyond 512 MiB");
  has_header_ = true;
  body_bytes_ = header->body_bytes;
  header_payload_.append(payload);
  return {};
}

Outcome ContentAssembly::add_body(std::span<const std::byte> payload) {
  if (!has_header_) return broken("a body frame without its content header");
  if (payload.size() > body_bytes_ - body_.size()) return broken("more body than its header announced");
  body_.append(payload);
  return {};
}

void ContentAssembly::clear() {
  method_ = 0;
  has_header_ = false;
  body_bytes_ = 0;
  method_payload_.clear();
  header_payload_.clear();
  body_.clear_keeping(kKeepBytes);
}

}  // namespace brokerlab::amqp
