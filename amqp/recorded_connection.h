#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "amqp/connection.h"
#include "core/child_run.h"
#include "core/json.h"

namespace brokerlab::amqp {

// A connection of a child process whose history goes into the recording: blocked and write-blocked intervals,
// lost connections, heartbeats that failed. What a person should see becomes a notice; its loss for good
// fails the run. One loop; lives within its ChildRun.
class RecordedConnection {
 public:
  // `broker` is the assignment's: {"uri", "tls_insecure", "heartbeat_s"} and, optional, "other_uris",
  // "reconnect":
  // {"tries", "delay_s"} and "topology", as ARCHITECTURE.md describes it: declared again after each
  // reconnect. `instance` is the number that stands in its events; `name` is shown by the broker's
  // management.
  RecordedConnection(ChildRun& run, const Json& broker, const std::string& name, std::uint32_t instance,
                     Nanoseconds read_coalescing_ns = 0);

  // What a child is to declare, as the assignment writes it.
  static Topology topology_of(const Json& json);
  // The options of a connection as the assignment wants it.
  static ConnectionOptions options_of(const Json& broker, const std::string& name,
                                      Nanoseconds read_coalescing_ns);

  // All optional; set before open().
  std::function<void()> on_open;      // once
  std::function<void()> on_lost;      // channels are lost; deliveries in hand belong to nobody
  std::function<void()> on_restored;  // channels and consumers are back

  void open();
  void close(std::function<void()> on_closed);

  Connection& connection() { return connection_; }
  // Publishes the message of `record` on a channel of this connection, and notes in it when the kernel took
  // the last byte. The record must outlive the connection. As Channel::publish otherwise.
  std::uint64_t publish(Channel& channel, PublishTemplate& message, const PublishStamp& stamp,
                        std::string_view body, PublishRecord& record);
  bool is_open() const { return connection_.is_open(); }
  bool blocked() const { return connection_.blocked(); }
  // Adds what this connection has counted.
  void add_to(RecordingCounters& counters) const;
  // Replaces the figures that add_to() adds to, and leaves the others.
  static void store(const RecordingCounters& traffic, RecordingCounters& counters);

 private:
  void listen();
  std::string where() const;  // the broker, without credentials
  void note_blocked(std::string_view reason);
  void note_unblocked();
  void note_lost(const AmqpError& reason);
  void note_restored();
  void note_taken(std::uint64_t block);
  // Patches the end of `open`, if there is one.
  void end_event(EventRecord*& open);

  ChildRun& run_;
  std::uint32_t instance_;
  Connection connection_;
  EventRecord* blocked_event_ = nullptr;
  EventRecord* lost_event_ = nullptr;
  // Published, and not yet taken by the kernel: the block and the record of each.
  std::deque<std::pair<std::uint64_t, PublishRecord*>> unwritten_;
  bool closing_ = false;
};

}  // namespace brokerlab::amqp
