#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace brokerlab::amqp {

// What a failed operation becomes when it is thrown; a caller may ask whether another try can help.
class BrokerError : public brokerlab::Error {
 public:
  BrokerError(std::string what, std::string where, std::string remedy, bool retry_may_help)
      : Error(std::move(what), std::move(where), std::move(remedy)), retry_may_help_(retry_may_help) {}
  bool retry_may_help() const { return retry_may_help_; }

 private:
  bool retry_may_help_;
};

// Where a failure came from: a caller decides by it whether another try can help.
enum class ErrorKind {
  kUnreachable,   // name not found, connection refused, reset or closed by the peer, timed out
  kTls,           // certificate, host name or handshake
  kNotAmqp,       // the peer answers, but not with AMQP 0-9-1, or breaks its rules
  kRefusedLogin,  // wrong user or password, unknown or forbidden vhost
  kHeartbeat,     // the peer fell silent
  kConnection,    // connection.close by the broker
  kChannel,       // channel.close by the broker
  kUsage,         // the call made no sense in the present state (e.g. a channel that is closed)
};

// A failed operation or a lost connection. `code`, `text` and `method` are the broker's own words (code 0: it
// said nothing); `summary` and `remedy` are ours, for a person.
struct AmqpError {
  ErrorKind kind = ErrorKind::kUnreachable;
  std::uint16_t code = 0;
  std::string text;
  std::string method;  // what the broker complained about, e.g. "queue.declare"; "" when unknown
  std::string summary;
  std::string remedy;

  // One line: summary, then the broker's words in brackets.
  std::string describe() const;
  // Whether the same attempt may succeed later: false for a wrong password, vhost or certificate.
  bool retry_may_help() const;
  BrokerError to_error(std::string where) const;

  // Translates what the broker said in channel.close or connection.close.
  static AmqpError from_reply(ErrorKind kind, std::uint16_t code, std::string text, std::uint32_t method_id);
  static AmqpError make(ErrorKind kind, std::string summary, std::string remedy);
};

// How an operation ended: fine, or with an error.
class Outcome {
 public:
  Outcome() = default;
  Outcome(AmqpError error)
      : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor): reads as a result
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const AmqpError& error() const { return *error_; }  // only when !ok()

 private:
  std::optional<AmqpError> error_;
};

}  // namespace brokerlab::amqp
