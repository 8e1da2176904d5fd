#include "amqp/handshake.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "amqp/field_table.h"
#include "core/json_fields.h"
#include "core/shown_text.h"

namespace brokerlab::amqp {
namespace {

constexpr std::size_t kLongestShown = 200;

// 0 on either side means "no limit".
template <typename Number>
Number lower_limit(Number ours, Number theirs) {
  if (ours == 0) return theirs;
  if (theirs == 0) return ours;
  return std::min(ours, theirs);
}

Json client_properties(const std::string& name) {
  return {{"product", "brokerlab"},
          {"version", "0.1.0"},
          {"platform", "C++"},
          {"connection_name", name},
          {"capabilities",
           {{"publisher_confirms", true},
            {"exchange_exchange_bindings", true},
            {"basic.nack", true},
            {"consumer_cancel_notify", true},
            {"connection.blocked", true},
            {"authentication_failure_close", true}}}};
}

bool has_word(std::string_view list, std::string_view word) {
  const std::string padded = fmt::format(" {} ", list);
  return padded.find(fmt::format(" {} ", word)) != std::string::npos;
}

}  // namespace

void Handshake::begin() {
  writer_.set_frame_max(kFrameMaxLowest);  // nothing larger before both sides have agreed
  writer_.protocol_header();
}

const char* Handshake::awaited() const {
  switch (awaiting_) {
    case Awaiting::kStart:
      return "connection.start";
    case Awaiting::kTune:
      return "connection.tune";
    case Awaiting::kOpenOk:
      return "connection.open-ok";
  }
  return "";
}

Handshake::Step Handshake::on_method(const Method& method) {
  if (method.id == AMQP_CONNECTION_CLOSE_METHOD) return on_close(method);
  switch (awaiting_) {
    case Awaiting::kStart:
      return method.id == AMQP_CONNECTION_START_METHOD ? on_start(method) : out_of_turn(method);
    case Awaiting::kTune:
      return method.id == AMQP_CONNECTION_TUNE_METHOD ? on_tune(method) : out_of_turn(method);
    case Awaiting::kOpenOk:
      return method.id == AMQP_CONNECTION_OPEN_OK_METHOD ? Step::kOpen : out_of_turn(method);
  }
  return out_of_turn(method);
}

Handshake::Step Handshake::on_start(const Method& method) {
  const auto& start = method.as<amqp_connection_start_t>();
  const Json properties = FieldTable::to_json(start.server_properties);
  server_ = {known_text(properties, "product"), known_text(properties, "version"),
             known_text(properties, "platform"), known_text(properties, "cluster_name")};
  const char* mechanism = options_.uri.external ? "EXTERNAL" : "PLAIN";
  if (!has_word(to_view(start.mechanisms), mechanism)) {
    return fail(AmqpError::make(
        ErrorKind::kRefusedLogin,
        fmt::format("the broker offers only these login mechanisms: {}",
                    shown_words(to_view(start.mechanisms).substr(0, kLongestShown))),
        options_.uri.external ? "show the broker a certificate of a CA that it trusts (certfile and keyfile "
                                "of the URI), and enable EXTERNAL in its auth_mechanisms"
                              : "enable PLAIN in the broker's auth_mechanisms"));
  }
  Pool pool;
  // EXTERNAL: the certificate says who it is.
  const std::string response =
      options_.uri.external ? "" : '\0' + options_.uri.user + '\0' + options_.uri.password;
  amqp_connection_start_ok_t ok{};
  ok.client_properties = FieldTable::to_wire(client_properties(options_.client_name), pool.get());
  ok.mechanism = to_wire_bytes(mechanism);
  ok.response = to_wire_bytes(response);
  ok.locale = to_wire_bytes("en_US");
  writer_.method(0, AMQP_CONNECTION_START_OK_METHOD, &ok);
  awaiting_ = Awaiting::kTune;
  return Step::kGoOn;
}

Handshake::Step Handshake::on_tune(const Method& method) {
  const auto& tune = method.as<amqp_connection_tune_t>();
  frame_max_ = lower_limit(options_.frame_max, tune.frame_max);
  if (frame_max_ < kFrameMaxLowest) {
    return fail(AmqpError::make(ErrorKind::kNotAmqp,
                                fmt::format("the broker wants frames of at most {} bytes", frame_max_),
                                "set frame_max of the broker to at least 4096"));
  }
  channel_max_ = lower_limit(options_.channel_max, tune.channel_max);
  // 0 from us means: none. 0 from the broker means: it asks for none, but ours may stand.
  heartbeat_s_ = options_.heartbeat_s == 0 ? 0 : lower_limit<int>(options_.heartbeat_s, tune.heartbeat);
  amqp_connection_tune_ok_t ok{};
  ok.channel_max = channel_max_;
  ok.frame_max = frame_max_;
  ok.heartbeat = static_cast<std::uint16_t>(heartbeat_s_);
  writer_.method(0, AMQP_CONNECTION_TUNE_OK_METHOD, &ok);
  writer_.set_frame_max(frame_max_);
  amqp_connection_open_t open{};
  open.virtual_host = short_text(options_.uri.vhost, "vhost");
  open.capabilities = amqp_empty_bytes;
  writer_.method(0, AMQP_CONNECTION_OPEN_METHOD, &open);
  awaiting_ = Awaiting::kOpenOk;
  return Step::kGoOn;
}

Handshake::Step Handshake::on_close(const Method& method) {
  const auto& close = method.as<amqp_connection_close_t>();
  amqp_connection_close_ok_t ok{};
  writer_.method(0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
  const bool login = awaiting_ != Awaiting::kStart && (close.reply_code == 403 || close.reply_code == 530);
  const auto id = static_cast<std::uint32_t>(close.class_id) << 16U | close.method_id;
  return fail(AmqpError::from_reply(login ? ErrorKind::kRefusedLogin : ErrorKind::kConnection,
                                    close.reply_code, std::string(to_view(close.reply_text)), id));
}

Handshake::Step Handshake::out_of_turn(const Method& method) {
  return fail(AmqpError::make(
      ErrorKind::kNotAmqp,
      fmt::format("the peer broke the AMQP protocol: {} where {} was due", method_name(method.id), awaited()),
      "check that the port belongs to a RabbitMQ node"));
}

Handshake::Step Handshake::fail(AmqpError error) {
  error_ = std::move(error);
  return Step::kFailed;
}

AmqpError Handshake::explain_loss(const AmqpError& reason) const {
  AmqpError out = reason;
  if (reason.kind != ErrorKind::kUnreachable) return out;
  out.summary = fmt::format("{} while {} was awaited", reason.summary, awaited());
  if (awaiting_ == Awaiting::kStart)
    out.remedy = "check that the port speaks AMQP (amqps:// for a TLS port), and that the broker is up";
  return out;
}

}  // namespace brokerlab::amqp
