#pragma once

#include <uv.h>

#include <functional>

#include "core/clock.h"

namespace brokerlab {

// A one-shot timer on a libuv loop by timerfd, woken some 100 us late on average where uv_timer is 500-700 us
// late. One loop; the callback may set the timer again. close() before the loop ends; destruction after the
// loop has run the close callback (the object owns a shared handle, so destroying it right after close() is
// safe).
class PreciseTimer {
 public:
  PreciseTimer(uv_loop_t* loop, std::function<void()> on_time);
  ~PreciseTimer();
  PreciseTimer(const PreciseTimer&) = delete;
  PreciseTimer& operator=(const PreciseTimer&) = delete;

  void set(Nanoseconds at_monotonic_ns);  // an instant in the past fires on the next turn
  void cancel();
  void close();

 private:
  struct State;
  State* state_;
};

}  // namespace brokerlab
