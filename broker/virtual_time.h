#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/clock.h"

namespace brokerlab {

// What is to happen when, on a clock that jumps from one event to the next. Events of the same instant happen
// in the order in which they were asked for, so that a simulation is the same every time. One thread.
class VirtualTime {
 public:
  const Clock& clock() const { return clock_; }
  Nanoseconds now() const { return clock_.now(); }

  // An instant that has passed counts as now.
  void at(Nanoseconds when, std::function<void()> act) {
    events_.push_back({when > now() ? when : now(), asked_++, std::move(act)});
    std::push_heap(events_.begin(), events_.end(), std::greater<>());
  }
  void after(Nanoseconds delay, std::function<void()> act) { at(now() + delay, std::move(act)); }

  // Until nothing is left to happen.
  void run() {
    while (!events_.empty()) {
      std::pop_heap(events_.begin(), events_.end(), std::greater<>());
      const Event event = std::move(events_.back());
      events_.pop_back();
      clock_.set(event.when);
      event.act();
    }
  }

 private:
  struct Event {
    Nanoseconds when;
    std::uint64_t order;
    std::function<void()> act;
    bool operator>(const Event& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  SimulatedClock clock_;
  std::uint64_t asked_ = 0;
  std::vector<Event> events_;  // a heap, the next one first
};

}  // namespace brokerlab
