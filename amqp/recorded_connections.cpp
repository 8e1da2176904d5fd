#include "amqp/recorded_connections.h"

#include <algorithm>
#include <utility>

namespace brokerlab::amqp {
namespace {

// RabbitMQ listens with a backlog of 128; several processes open at the same time.
constexpr std::size_t kOpenedAtATime = 32;

}  // namespace

void RecordedConnections::open() {
  for (const auto& connection : connections_) {
    connection->on_open = [this, theirs = std::move(connection->on_open)] {
      open_next();
      if (theirs) theirs();
    };
  }
  while (opened_ < std::min(kOpenedAtATime, connections_.size())) open_next();
}

void RecordedConnections::open_next() {
  if (opened_ == connections_.size() || closing_) return;
  const std::size_t next = opened_++;
  connections_[next]->open();
}

void RecordedConnections::serve(ChildRun& run, std::function<Json()> progress,
                                std::function<void(const Json&)> on_line) {
  run.report_progress(std::move(progress));
  open();
  run.pipe().on_line(
      [&run, on_line = std::move(on_line)](const Json& line) { run.guard([&] { on_line(line); }); });
  if (connections_.empty()) run.pipe().send({{"ready", true}});
  run.run();
  run.send_progress();  // the last figures, while the connections are still there
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
