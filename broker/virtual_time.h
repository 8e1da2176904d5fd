#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/clock.h"

namespace brokerlab {

// What is to happen when, on a clock that jumps from one event to the next. Events of the same instant happen
// in the order in which they were asked for, so that a simulation is the same every time. An event is a few
// words without an allocation of its own: a simulation makes millions of them. One thread; targets outlive
// the events they asked for.
class VirtualTime {
 public:
  // What happens, in words of the one it happens to.
  struct Happening {
    std::uint32_t what = 0;
    std::uint32_t subject = 0;
  };
  class Target {
   public:
    virtual ~Target() = default;
    virtual void happen(Happening happening) = 0;
  };

  const Clock& clock() const { return clock_; }
  Nanoseconds now() const { return clock_.now(); }

  // An instant that has passed counts as now.
  void at(Nanoseconds when, Target& target, Happening happening) {
    events_.push_back({when > now() ? when : now(), asked_++, &target, happening});
    std::push_heap(events_.begin(), events_.end(), later);
  }
  void after(Nanoseconds delay, Target& target, Happening happening) { at(now() + delay, target, happening); }
  // For what happens rarely.
  void at(Nanoseconds when, std::function<void()> act) { at(when, acts_, {0, acts_.keep(std::move(act))}); }

  bool empty() const { return events_.empty(); }
  // When the next event is due; only while there is one.
  Nanoseconds next() const { return events_.front().when; }
  void step() {
    std::pop_heap(events_.begin(), events_.end(), later);
    const Event event = events_.back();
    events_.pop_back();
    clock_.set(event.when);
    event.target->happen(event.happening);
  }
  // Until nothing is left to happen.
  void run() {
    while (!empty()) step();
  }
  // Nothing happens until then; not beyond the next event.
  void advance_to(Nanoseconds when) { clock_.set(std::max(when, now())); }

 private:
  struct Event {
    Nanoseconds when;
    std::uint64_t order;
    Target* target;
    Happening happening;
  };
  static bool later(const Event& a, const Event& b) {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }

  class Acts final : public Target {
   public:
    std::uint32_t keep(std::function<void()> act) {
      if (free_.empty()) {
        acts_.push_back(std::move(act));
        return static_cast<std::uint32_t>(acts_.size() - 1);
      }
      const std::uint32_t place = free_.back();
      free_.pop_back();
      acts_[place] = std::move(act);
      return place;
    }
    void happen(Happening happening) override {
      const std::function<void()> act = std::exchange(acts_[happening.subject], nullptr);
      free_.push_back(happening.subject);
      act();
    }

   private:
    std::vector<std::function<void()>> acts_;
    std::vector<std::uint32_t> free_;
  };

  SimulatedClock clock_;
  std::uint64_t asked_ = 0;
  std::vector<Event> events_;  // a heap, the next one first
  Acts acts_;
};

}  // namespace brokerlab
