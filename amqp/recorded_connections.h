#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "amqp/recorded_connection.h"

namespace brokerlab::amqp {

// The connections of one child process: opened, counted and closed together. One loop; to be cleared before
// what listens to them goes, and before their ChildRun.
class RecordedConnections {
 public:
  // With its callbacks set.
  void add(std::unique_ptr<RecordedConnection> connection) { connections_.push_back(std::move(connection)); }
  // `on_closed` is called when the last one is closed, at once where there is none. Only the first call
  // counts.
  void close(std::function<void()> on_closed);
  void clear() { connections_.clear(); }
  // The life of a child process with these connections: opens them, gives the lines of its controller to
  // `on_line` and tells it `progress`, until the run is over. Without a connection it is ready at once. They
  // are still there when it returns.
  void serve(ChildRun& run, std::function<Json()> progress, std::function<void(const Json&)> on_line);
  std::size_t size() const { return connections_.size(); }
  bool empty() const { return connections_.empty(); }

  // Of all of them: whether the broker blocks one, and whether each is open.
  struct State {
    bool blocked = false, connected = true;
  };
  // Brings the traffic in `counters` up to date, too.
  State note_traffic(RecordingCounters& counters) const;

 private:
  // Some at a time: a thousand at once would not fit into the queue of a broker's socket, and the others
  // would wait for seconds until their packets go again.
  void open();
  void open_next();

  std::vector<std::unique_ptr<RecordedConnection>> connections_;
  std::function<void()> on_closed_;
  std::size_t opened_ = 0;  // or on their way
  std::size_t still_open_ = 0;
  bool closing_ = false;
};

}  // namespace brokerlab::amqp
