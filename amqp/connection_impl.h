#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "amqp/channel_impl.h"
#include "amqp/connection.h"
#include "amqp/declaration.h"
#include "amqp/frame_reader.h"
#include "amqp/handshake.h"
#include "amqp/heartbeat.h"
#include "amqp/link.h"
#include "amqp/transport.h"

namespace brokerlab::amqp {

// The life of a connection: attempts, handshake, restoration, traffic, loss, close. Bytes come from and go to
// a Transport; time comes as one timer whose meaning is that of the phase.
class Connection::Impl final : public Link, private FrameReader::Sink, private Transport::Listener {
 public:
  Impl(uv_loop_t* loop, const Clock& clock, ConnectionOptions options, TransportFactory factory);
  ~Impl() override;

  void open(std::function<void()> on_ready, std::function<void(const AmqpError&)> on_failed);
  void close(std::function<void()> on_closed);
  Channel& open_channel(ChannelListener* listener, Done on_open);
  void remove(Channel& channel);
  void flush_output() override;
  void defer(std::function<void()> task) override;

  bool is_open() const { return phase_ == Phase::kOpen; }

  ConnectionOptions options;
  ConnectionEvents events;
  ConnectionCounters totals;
  std::optional<Topology> topology;
  std::optional<Handshake> handshake;  // of the present or last attempt

 private:
  enum class Phase {
    kIdle,
    kConnecting,  // until the transport is ready
    kShakingHands,
    kRestoring,  // topology, then channels
    kOpen,
    kClosing,  // connection.close sent
    kWaiting,  // for the next attempt
    kClosed,
  };
  // libuv frees these in its own time.
  struct Handles {
    uv_timer_t timer{};
    uv_prepare_t prepare{};
    uv_check_t check{};
    Impl* impl = nullptr;
    int open = 3;
  };

  // Link
  void want_turn_end() override;
  // Transport::Listener
  void on_transport_ready() override;
  std::span<std::byte> read_space() override { return reader_.space(); }
  void on_bytes(std::size_t bytes) override;
  void on_written() override;
  void on_transport_closed(const AmqpError& reason) override { lose(reason); }
  // FrameReader::Sink
  bool on_whole_delivery(const WholeDelivery& delivery) override;
  bool on_frame(const FrameHeader& header, std::span<const std::byte> payload) override;

  std::unique_ptr<Transport> make_transport();
  void start_attempt();
  void arm(Nanoseconds delay_ns);
  void on_timer();
  void look_for_heartbeat();
  void on_turn_end();
  void run_deferred();

  Outcome on_connection_frame(const FrameHeader& header, std::span<const std::byte> payload);
  Outcome on_connection_method(const Method& method);
  void on_closed_by_broker(const Method& method);
  void on_handshake_step(Handshake::Step step);
  void set_blocked(bool blocked, std::string_view reason);

  void begin_restoration();
  void restore_topology();
  void restore_channels();
  void finish_restoration();

  // Ends the connection at the next safe point: never from within the handling of a frame.
  void doom(AmqpError reason);
  void lose(const AmqpError& reason);
  void retry_or_give_up(const AmqpError& reason);
  void go_to_next_node();
  void drop_transport();
  void finish_close();
  void tell_room();
  void tell_taken() const;
  std::uint16_t free_number() const;
  Channel* channel_at(std::uint16_t number) const {
    return number < channels_.size() ? channels_[number].get() : nullptr;
  }

  uv_loop_t* loop_;
  const Clock& clock_;
  TransportFactory factory_;
  Handles* handles_;
  FrameReader reader_;
  std::unique_ptr<Transport> transport_;
  Heartbeat heartbeat_;
  Phase phase_ = Phase::kIdle;
  Nanoseconds received_ns_ = 0;
  std::optional<AmqpError> doomed_;
  int attempt_ = 0;
  std::uint64_t restoration_ = 0;  // tells late answers of an earlier restoration apart
  std::size_t restoring_channels_ = 0;
  std::uint16_t topology_channel_ = 0;
  bool ever_open_ = false;

  std::function<void()> on_ready_;
  std::function<void(const AmqpError&)> on_failed_;
  std::vector<std::function<void()>> on_closed_;
  std::vector<std::unique_ptr<Channel>> channels_;              // by number; 0 stays empty
  std::vector<std::pair<std::uint16_t, Done>> early_channels_;  // asked for before the connection was open
  std::size_t next_room_ = 0;
  std::vector<std::function<void()>> deferred_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace brokerlab::amqp
