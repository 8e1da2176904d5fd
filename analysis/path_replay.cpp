#include "analysis/path_replay.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <queue>
#include <utility>

namespace brokerlab {
namespace {

// Consumers in the broker's order: who gets a message goes to the end of the line, who is full waits for one
// of his messages to be done.
class Line {
 public:
  explicit Line(const ReplayServers& servers) : servers_(servers), consumers_(servers.consumers) {
    for (std::size_t i = 0; i < servers.consumers; ++i) ready_.push_back(i);
  }

  Nanoseconds wait_of(const ReplayedTask& task) {
    Nanoseconds now = std::max(task.arrival, last_delivery_);
    release_until(now);
    while (ready_.empty()) {
      now = std::max(now, releases_.top().first);
      release_until(now);
    }
    last_delivery_ = now;
    const std::size_t index = ready_.front();
    ready_.pop_front();
    Consumer& consumer = consumers_[index];
    const Nanoseconds start = std::max(now, consumer.free_at);
    const Nanoseconds done = start + task.service;
    consumer.free_at = done + servers_.turnaround;
    if (servers_.prefetch > 0) {
      ++consumer.held;
      releases_.push({done, index});
    }
    if (has_room(consumer)) ready_.push_back(index);
    return start - task.arrival;
  }

 private:
  struct Consumer {
    Nanoseconds free_at = 0;
    std::size_t held = 0;
  };
  using Release = std::pair<Nanoseconds, std::size_t>;

  bool has_room(const Consumer& consumer) const {
    return servers_.prefetch == 0 || consumer.held < servers_.prefetch;
  }
  void release_until(Nanoseconds now) {
    while (!releases_.empty() && releases_.top().first <= now) {
      const std::size_t index = releases_.top().second;
      releases_.pop();
      Consumer& consumer = consumers_[index];
      if (!has_room(consumer)) ready_.push_back(index);
      --consumer.held;
    }
  }

  const ReplayServers& servers_;
  std::vector<Consumer> consumers_;
  std::deque<std::size_t> ready_;
  std::priority_queue<Release, std::vector<Release>, std::greater<>> releases_;
  Nanoseconds last_delivery_ = 0;
};

}  // namespace

std::vector<Nanoseconds> replay_waits(std::span<const ReplayedTask> tasks, const ReplayServers& servers) {
  std::vector<Nanoseconds> waits;
  if (servers.consumers == 0) return waits;
  waits.reserve(tasks.size());
  Line line(servers);
  for (const ReplayedTask& task : tasks) waits.push_back(line.wait_of(task));
  return waits;
}

}  // namespace brokerlab
