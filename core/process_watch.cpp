#include "core/process_watch.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <thread>

#include "core/precise_timer.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kTick = 20'000'000;
// A stall that begins within a sleep is seen short by what was left of it. Shorter sleeps would see more of
// it and cost more: at 2 ms they took 9 ms of processor time a second, as much as publishing 20,000 messages.
constexpr Nanoseconds kSleep = 5'000'000;

Nanoseconds nanoseconds_of(const timeval& time) {
  return time.tv_sec * kNanosecondsPerSecond + time.tv_usec * 1000;
}

timespec timespec_of(Nanoseconds time) {
  return {.tv_sec = time / kNanosecondsPerSecond, .tv_nsec = time % kNanosecondsPerSecond};
}

}  // namespace

// A tick tells how late the loop (or the whole process) was woken; the time a turn of the loop did not wait
// for events tells how long it kept everything else waiting. The sleeping thread sees only the host.
// A turn waits between its prepare and the moment the loop notes as its own time when events have come, in
// whole milliseconds, which is exact enough for the limit of a stall. libuv could tell how long it waited
// (UV_METRICS_IDLE_TIME), but asks the kernel twice on every wake-up then.
struct ProcessWatch::State {
  State(uv_loop_t* its_loop, const Clock& its_clock, EventLog& log)
      : loop(its_loop), clock(its_clock), events(log), timer(loop, [this] { tick(); }) {
    uv_prepare_init(loop, &prepare);
    uv_check_init(loop, &check);
    prepare.data = check.data = this;
    uv_prepare_start(&prepare, [](uv_prepare_t* handle) { static_cast<State*>(handle->data)->turn_waits(); });
    uv_check_start(&check, [](uv_check_t* handle) { static_cast<State*>(handle->data)->turn_ends(); });
    uv_unref(reinterpret_cast<uv_handle_t*>(&prepare));
    uv_unref(reinterpret_cast<uv_handle_t*>(&check));
    next_tick_ns = clock.now() + kTick;
    timer.set(next_tick_ns);
  }

  void turn_waits() {
    const Nanoseconds now = clock.now();
    if (last_turn_ns != 0) before_waiting_ns = now - last_turn_ns;
  }

  void turn_ends() {
    const Nanoseconds now = clock.now();
    constexpr Nanoseconds kMillisecond = 1'000'000;
    const Nanoseconds woken_ns =
        (static_cast<Nanoseconds>(uv_now(loop)) + 1) * kMillisecond;  // at the latest
    note(EventKind::kLoopStall, now, before_waiting_ns + std::max<Nanoseconds>(0, now - woken_ns),
         kLoopStallLimit);
    last_turn_ns = now;
  }

  void tick() {
    const Nanoseconds now = clock.now();
    note(EventKind::kLoopStall, now, now - next_tick_ns, kLoopStallLimit);
    note(EventKind::kHiccup, now, worst_sleep_ns.exchange(0), kHiccupLimit);
    next_tick_ns = now + kTick;
    timer.set(next_tick_ns);
  }

  void note(EventKind kind, Nanoseconds now, Nanoseconds late_ns, Nanoseconds limit) {
    if (late_ns > limit) events.worst(kind, 0, now, late_ns);
  }

  void sleep_and_measure() {
    while (!ending.load(std::memory_order_relaxed)) {
      const Nanoseconds until = clock.now() + kSleep;
      const timespec wake = timespec_of(until);
      while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, nullptr) == EINTR) {
      }
      const Nanoseconds late = clock.now() - until;
      if (late > worst_sleep_ns.load()) worst_sleep_ns.store(late);
    }
  }

  void close() {
    ending = true;
    if (sleeper.joinable()) sleeper.join();
    timer.close();
    const auto let_go = [](uv_handle_t* closed) {
      auto* state = static_cast<State*>(closed->data);
      if (--state->handles == 0) delete state;
    };
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare), let_go);
    uv_close(reinterpret_cast<uv_handle_t*>(&check), let_go);
  }

  uv_loop_t* loop;
  const Clock& clock;
  EventLog& events;
  uv_prepare_t prepare{};
  uv_check_t check{};
  int handles = 2;  // of these two
  Nanoseconds last_turn_ns = 0;
  Nanoseconds before_waiting_ns = 0;
  Nanoseconds next_tick_ns = 0;
  std::atomic<Nanoseconds> worst_sleep_ns = 0;
  std::atomic<bool> ending = false;
  std::thread sleeper;
  PreciseTimer timer;
};

ProcessWatch::ProcessWatch(uv_loop_t* loop, const Clock& clock, EventLog& events, bool sleeper)
    : state_(new State(loop, clock, events)) {
  if (sleeper) state_->sleeper = std::thread([state = state_] { state->sleep_and_measure(); });
}

ProcessWatch::~ProcessWatch() { stop(); }

void ProcessWatch::stop() {
  if (state_ != nullptr) state_->close();
  state_ = nullptr;
}

void ProcessWatch::refresh(RecordingCounters& counters) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  counters.cpu_user_ns = nanoseconds_of(usage.ru_utime);
  counters.cpu_system_ns = nanoseconds_of(usage.ru_stime);
  long pages = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) == 2)
      counters.resident_bytes = resident * ::sysconf(_SC_PAGESIZE);
    std::fclose(file);
  }
}

}  // namespace brokerlab
