#pragma once

#include <uv.h>

#include <functional>

namespace brokerlab {

// Calls back once on the next turn of a libuv loop, after the events of the present one have been seen: a
// timer for now, without the two system calls and the wake-up of a timer. One loop; the callback may ask
// again. close() before the loop ends, as of a PreciseTimer.
class NextTurn {
 public:
  NextTurn(uv_loop_t* loop, std::function<void()> on_turn);
  ~NextTurn();
  NextTurn(const NextTurn&) = delete;
  NextTurn& operator=(const NextTurn&) = delete;

  void ask();
  void cancel();
  void close();

 private:
  struct State;
  State* state_;
};

}  // namespace brokerlab
