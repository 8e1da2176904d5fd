#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "amqp/connection.h"
#include "amqp/frame_writer.h"
#include "amqp/method_codec.h"

namespace brokerlab::amqp {

// The way from the first byte to connection.open-ok: start, tune, open. A state machine without I/O.
class Handshake {
 public:
  enum class Step { kGoOn, kOpen, kFailed };

  Handshake(const ConnectionOptions& options, FrameWriter& writer) : options_(options), writer_(writer) {}

  void begin();
  // A method on channel 0.
  Step on_method(const Method& method);

  const AmqpError& error() const { return *error_; }  // after kFailed
  // What the peer owed us, for the message of a timeout: "connection.tune".
  const char* awaited() const;
  // Turns the loss of the transport in mid-handshake into what it most likely means.
  AmqpError explain_loss(const AmqpError& reason) const;

  std::uint32_t frame_max() const { return frame_max_; }
  std::uint16_t channel_max() const { return channel_max_; }
  int heartbeat_s() const { return heartbeat_s_; }
  const ServerProperties& server() const { return server_; }

 private:
  enum class Awaiting { kStart, kTune, kOpenOk };

  Step on_start(const Method& method);
  Step on_tune(const Method& method);
  Step on_close(const Method& method);
  Step fail(AmqpError error);
  Step out_of_turn(const Method& method);

  const ConnectionOptions& options_;
  FrameWriter& writer_;
  Awaiting awaiting_ = Awaiting::kStart;
  std::optional<AmqpError> error_;
  std::uint32_t frame_max_ = kFrameMaxDefault;
  std::uint16_t channel_max_ = 0;
  int heartbeat_s_ = 0;
  ServerProperties server_;
};

}  // namespace brokerlab::amqp
