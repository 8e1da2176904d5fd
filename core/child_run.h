#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/control_pipe.h"
#include "core/event_log.h"
#include "core/precise_timer.h"
#include "core/process_watch.h"
#include "core/recording.h"

namespace brokerlab {

// The header of the recording of the process with this assignment (ARCHITECTURE.md).
Json recording_header(const Json& assignment);

// What the children of a run have in common: the recording, progress every 200 ms, the watch over the
// process, and two ways to end, finished or failed. One loop, that of `pipe`, which must outlive it.
class ChildRun {
 public:
  static constexpr Nanoseconds kProgressInterval = 200'000'000;

  // Opens the recording that the assignment names. `sleeper`: see ProcessWatch. Throws Error.
  ChildRun(ControlPipe& pipe, const Json& assignment, bool sleeper);
  ~ChildRun();
  ChildRun(const ChildRun&) = delete;
  ChildRun& operator=(const ChildRun&) = delete;

  uv_loop_t* loop() const { return pipe_.loop(); }
  const Clock& clock() const { return clock_; }
  ControlPipe& pipe() { return pipe_; }
  RecordingWriter& recording() { return recording_; }
  EventLog& events() { return events_; }

  // `figures` is asked at each progress for the figures of this kind of process; it brings the counters up to
  // date, too.
  void report_progress(std::function<Json()> figures);
  void send_progress();

  // A person works by hand and wants to read every step: what it says becomes a line for them. When more is
  // said than anybody reads, some steps are left out, and their number is told.
  bool says() const { return says_; }
  void say(const std::string& text, Json more = Json::object());

  // Ends run(): everything went as it should, or it did not. Only the first call counts.
  void finish();
  void fail(const Error& error);
  bool ended() const { return ended_; }

  // Runs `work` inside a callback of the loop: no exception may pass through libuv.
  template <class Work>
  void guard(Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      fail(error);
    } catch (const std::exception& error) {
      fail(Error(std::string("the process met something unforeseen: ") + error.what(), "", ""));
    }
  }

  // Runs the loop until finish() or fail().
  void run();
  // To be called when nothing writes to the recording any more: closes it, tells the controller, returns the
  // exit status.
  int end();

 private:
  ControlPipe& pipe_;
  MonotonicClock clock_;
  RecordingWriter recording_;
  EventLog events_;
  ProcessWatch watch_;
  PreciseTimer progress_timer_;
  std::function<Json()> figures_;
  bool says_;
  std::uint64_t unsaid_ = 0;
  bool ended_ = false;
  std::optional<Error> failure_;
};

}  // namespace brokerlab
