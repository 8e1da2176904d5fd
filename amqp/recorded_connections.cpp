#include "amqp/recorded_connections.h"

#include <utility>

namespace brokerlab::amqp {

void RecordedConnections::open() {
  for (const auto& connection : connections_) connection->open();
}

void RecordedConnections::close(std::function<void()> on_closed) {
  if (std::exchange(closing_, true)) return;
  if (connections_.empty()) return on_closed();
  on_closed_ = std::move(on_closed);
  still_open_ = connections_.size();
  for (const auto& connection : connections_) {
    connection->close([this] {
      if (--still_open_ == 0) on_closed_();
    });
  }
}

RecordedConnections::State RecordedConnections::note_traffic(RecordingCounters& counters) const {
  RecordingCounters traffic{};
  State state;
  for (const auto& connection : connections_) {
    connection->add_to(traffic);
    state.blocked |= connection->blocked();
    state.connected &= connection->is_open();
  }
  RecordedConnection::store(traffic, counters);
  return state;
}

}  // namespace brokerlab::amqp
