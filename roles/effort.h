#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string_view>

#include "core/clock.h"
#include "core/precise_timer.h"
#include "core/random.h"
#include "roles/role_spec.h"

namespace brokerlab {

// How long one message keeps its worker busy. Pure: the same message costs the same whoever takes it and
// however often, so that variants under comparison do the same work.
class EffortLength {
 public:
  EffortLength(const EffortSpec& spec, std::uint64_t seed, const std::string& role);

  // `publisher` and `sequence` identify the message; `parsed` is its JSON body where the effort is taken from
  // there; `intended_ns` tells when it was due, for work that changes over time.
  Nanoseconds of(std::uint32_t publisher, std::uint64_t sequence, std::string_view body, const Json& parsed,
                 Nanoseconds intended_ns = 0) const;
  // The instant from which intended times count.
  void start(Nanoseconds t0_ns) { t0_ns_ = t0_ns; }
  // False when the number it is taken from is missing, negative or no number.
  bool stands_in(const Json& parsed) const;

 private:
  EffortSpec spec_;
  std::uint64_t seed_;
  std::string purpose_;
  Nanoseconds t0_ns_ = 0;
};

// Does the work of one consumer, one message at a time: sleeps on a timer of the loop, or computes in the
// thread pool, so that heartbeats and other consumers of the process go on. One loop; close() and run the
// loop out before destruction.
class Effort {
 public:
  Effort(uv_loop_t* loop, const Clock& clock, EffortSpec::Kind kind);
  ~Effort();
  Effort(const Effort&) = delete;
  Effort& operator=(const Effort&) = delete;

  // Calls `done` on the loop once `length` has passed since `from` (sleep) or was computed (spin). Not while
  // busy.
  void begin(Nanoseconds from, Nanoseconds length, std::function<void()> done);
  // Calls `done` on the loop once `work` has been done in the thread pool. Not while busy.
  void compute(std::function<void()> work, std::function<void()> done);
  bool busy() const;
  void close();

 private:
  struct State;
  void queue(std::function<void(State&)> work);
  State* state_;
};

}  // namespace brokerlab
