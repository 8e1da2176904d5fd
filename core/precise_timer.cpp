#include "core/precise_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace brokerlab {

// Outlives the PreciseTimer until the loop has closed the handle; an armed timer keeps the loop alive, an
// idle one does not.
struct PreciseTimer::State {
  uv_poll_t poll{};
  int descriptor = -1;
  std::function<void()> on_time;
};

PreciseTimer::PreciseTimer(uv_loop_t* loop, std::function<void()> on_time) : state_(new State) {
  state_->on_time = std::move(on_time);
  state_->descriptor = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (state_->descriptor < 0 || uv_poll_init(loop, &state_->poll, state_->descriptor) != 0) {
    const std::string reason = std::strerror(errno);
    if (state_->descriptor >= 0) {
      ::close(state_->descriptor);
    }
    delete state_;
    throw Error("no timer from the kernel: " + reason, "timerfd_create",
                "raise the limit on open files (ulimit -n)");
  }
  state_->poll.data = state_;
  uv_poll_start(&state_->poll, UV_READABLE, [](uv_poll_t* poll, int, int) {
    auto* state = static_cast<State*>(poll->data);
    std::uint64_t expirations = 0;
    // Nothing to read: set anew or cancelled in this very turn, after the loop had seen it expire.
    if (::read(state->descriptor, &expirations, sizeof expirations) == sizeof expirations) {
      uv_unref(reinterpret_cast<uv_handle_t*>(poll));
      state->on_time();
    }
  });
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->poll));
}

PreciseTimer::~PreciseTimer() { close(); }

void PreciseTimer::set(Nanoseconds at_monotonic_ns) {
  if (state_ == nullptr) {
    return;
  }
  // 0 would disarm it.
  const Nanoseconds at = std::max<Nanoseconds>(at_monotonic_ns, 1);
  itimerspec when{};
  when.it_value.tv_sec = at / kNanosecondsPerSecond;
  when.it_value.tv_nsec = at % kNanosecondsPerSecond;
  ::timerfd_settime(state_->descriptor, TFD_TIMER_ABSTIME, &when, nullptr);
  uv_ref(reinterpret_cast<uv_handle_t*>(&state_->poll));
}

void PreciseTimer::cancel() {
  if (state_ == nullptr) {
    return;
  }
  const itimerspec never{};
  ::timerfd_settime(state_->descriptor, 0, &never, nullptr);
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->poll));
}

void PreciseTimer::close() {
  if (state_ == nullptr) {
    return;
  }
  State* state = std::exchange(state_, nullptr);
  uv_poll_stop(&state->poll);
  // A closing handle must be referenced, or uv_run could return before it is closed.
  uv_ref(reinterpret_cast<uv_handle_t*>(&state->poll));
  uv_close(reinterpret_cast<uv_handle_t*>(&state->poll), [](uv_handle_t* handle) {
    auto* closed = static_cast<State*>(handle->data);
    ::close(closed->descriptor);
    delete closed;
  });
}

}  // namespace brokerlab
