#pragma once

#include <uv.h>

#include "core/clock.h"
#include "core/event_log.h"
#include "core/recording.h"

namespace brokerlab {

// Watches the process it is in: how late its loop is, and how late a thread that only sleeps wakes up (the
// host's part). At most one event of each kind per 100 ms, with the worst of that time. Lives on the loop of
// `events`; the sleeping thread shares two atomic numbers with it and nothing else. stop() before the
// recording is closed, and run the loop once more afterwards.
class ProcessWatch {
 public:
  static constexpr Nanoseconds kLoopStallLimit = 5'000'000;
  static constexpr Nanoseconds kHiccupLimit = 1'000'000;

  // `sleeper`: also run the sleeping thread (one process per host is enough).
  ProcessWatch(uv_loop_t* loop, const Clock& clock, EventLog& events, bool sleeper);
  ~ProcessWatch();
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;

  void stop();

  // Reads CPU time and resident size of this process into the counters.
  static void refresh(RecordingCounters& counters);

 private:
  struct State;
  State* state_;
};

}  // namespace brokerlab
