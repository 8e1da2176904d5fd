#pragma once

#include <uv.h>

#include <functional>
#include <optional>
#include <string>

#include "core/error.h"

namespace brokerlab {

// Calls that block, made in libuv's thread pool so that the controller's loop goes on. One piece of work at a
// time; what it uses belongs to it until it is done. On one loop, which must run out before the program ends;
// may be destroyed while the work goes on, whose result nobody hears of then.
class BackgroundWork {
 public:
  explicit BackgroundWork(uv_loop_t* loop) : loop_(loop) {}
  ~BackgroundWork();
  BackgroundWork(const BackgroundWork&) = delete;
  BackgroundWork& operator=(const BackgroundWork&) = delete;

  // Not while other work of this object goes on.
  void begin(std::function<std::string()> work);
  // What the work returned, once it has. Throws the Error that it threw.
  std::optional<std::string> result() const;

 private:
  struct State;
  uv_loop_t* loop_;
  State* state_ = nullptr;
};

}  // namespace brokerlab
