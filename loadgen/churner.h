#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "core/child_run.h"
#include "core/operation.h"
#include "loadgen/churned.h"
#include "loadgen/pacer.h"

namespace brokerlab {

// What the churners of one process have done so far. opened = closed + failed to close + still open.
struct ChurnCounts {
  std::uint64_t begun = 0, opened = 0, closed = 0, failed = 0;
};

// One instance of a churn: opens one thing after the other on schedule, holds each and closes it, and records
// every operation. It never waits: whoever drives it asks due() and calls act(). What could not be opened
// when it was due, because as many as allowed are open, keeps its intended time. One loop; must not outlive
// what its Setup refers to.
class Churner {
 public:
  struct Instance {
    std::uint32_t index;
    std::uint64_t seed;
    Nanoseconds load_ns;
  };
  // `on_change` is called when an operation has been answered, not from within act().
  Churner(const Churned::Setup& setup, const Instance& instance, ChurnCounts& counts,
          std::function<void()> on_change);

  // Of things that live on a channel: the one that was opened for them.
  void use(amqp::Connection& connection, amqp::Channel* channel);
  void start(Nanoseconds t0_ns);
  // Opens nothing more; what is open is closed at once.
  void stop();

  // When the next thing is to be opened or closed; nothing when something else must happen before.
  std::optional<Nanoseconds> due() const;
  // Does what is due by `now_ns`, at most so much as one turn of the loop should.
  void act(Nanoseconds now_ns);
  // Everything that was opened is closed, and nothing more will be opened.
  bool finished() const { return !next_ns_ && live_.empty(); }
  std::size_t open() const { return live_.size(); }
  // Openings whose intended time has come by `now_ns`, as far as they are known.
  std::uint64_t begun() const { return number_; }

 private:
  struct Cycle {
    std::unique_ptr<Churned> thing;
    EventRecord* operation = nullptr;  // the one under way
    Nanoseconds close_due_ns = 0;
  };
  using Position = std::list<Cycle>::iterator;

  void advance();
  void begin(Nanoseconds now_ns);
  void on_opened(Position cycle, bool ok);
  void end(Position cycle, Nanoseconds now_ns);
  void on_closed(Position cycle, bool ok);
  void settle(Cycle& cycle, bool ok);
  EventRecord& record(OperationKind kind, Nanoseconds intended_ns, Nanoseconds now_ns);
  bool full() const { return live_.size() >= setup_.spec.most_open; }

  Churned::Setup setup_;
  Instance instance_;
  ChurnCounts& counts_;
  std::function<void()> on_change_;
  std::unique_ptr<Pacer> pacer_;  // null for a closed loop
  std::unique_ptr<Pacer::Cursor> cursor_;
  Nanoseconds horizon_ns_;
  Nanoseconds t0_ns_ = 0;
  std::optional<Nanoseconds> next_ns_;  // intended, from t0
  std::uint64_t number_ = 0;
  bool stopping_ = false;
  bool acting_ = false;
  std::list<Cycle> live_;
  std::deque<Position> held_;  // by the time they are to be closed
  std::list<Cycle> ended_;     // destroyed once no callback of theirs is on the stack
};

}  // namespace brokerlab
