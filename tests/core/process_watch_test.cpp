#include "core/process_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "core/event_log.h"
#include "core/next_turn.h"
#include "core/precise_timer.h"

namespace brokerlab {
namespace {

class Events : public testing::Test {
 protected:
  ~Events() override { std::filesystem::remove(path_); }
  std::vector<EventRecord> read() {
    recording_.close();
    std::vector<EventRecord> records;
    RecordingReader(path_).each_event(
        [&](auto some) { records.insert(records.end(), some.begin(), some.end()); });
    return records;
  }
  const std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("events-test-" + std::to_string(::getpid()));
  RecordingWriter recording_{path_, Json::object()};
  EventLog log_{recording_};
};

constexpr Nanoseconds kMs = 1'000'000;

TEST_F(Events, IntervalsThatFollowCloselyBecomeOne) {
  log_.interval(EventKind::kWriteBlocked, 0, 100 * kMs, 101 * kMs, 1 * kMs);
  log_.interval(EventKind::kWriteBlocked, 0, 105 * kMs, 107 * kMs, 2 * kMs);
  log_.interval(EventKind::kWriteBlocked, 1, 108 * kMs, 109 * kMs, 1 * kMs);
  log_.interval(EventKind::kWriteBlocked, 0, 200 * kMs, 201 * kMs, 1 * kMs);
  const auto events = read();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].ended_ns, 107 * kMs);
  EXPECT_EQ(events[0].value, 3 * kMs);
  EXPECT_EQ(events[1].instance, 1U);
}

TEST_F(Events, OfManyTheWorstInATenthOfASecondIsKept) {
  for (Nanoseconds t = 0; t < 250 * kMs; t += kMs) log_.worst(EventKind::kHiccup, 0, t, t % (70 * kMs));
  const auto events = read();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].value, 69 * kMs);
  EXPECT_EQ(events[1].at_ns, 100 * kMs);
}

constexpr Nanoseconds kHeldUp = 40 * kMs;
constexpr Nanoseconds kLoopTime = kMs;  // what the loop's own time is exact to

class HeldUpLoop : public Events {
 protected:
  HeldUpLoop() { uv_loop_init(&loop_); }
  static void hold_up() { std::this_thread::sleep_for(std::chrono::nanoseconds(kHeldUp)); }
  // Until the watch is stopped.
  void run(PreciseTimer& timer, NextTurn& next_turn) {
    timer.set(clock_.now() + 30 * kMs);
    uv_run(&loop_, UV_RUN_DEFAULT);
    timer.close();
    next_turn.close();
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }
  Nanoseconds worst_stall() {
    Nanoseconds worst = 0;
    for (const EventRecord& event : read()) {
      if (event.kind == static_cast<std::uint32_t>(EventKind::kLoopStall))
        worst = std::max(worst, event.value);
    }
    return worst;
  }
  uv_loop_t loop_{};
  MonotonicClock clock_;
};

TEST_F(HeldUpLoop, IsNotedWhereAnEventHoldsItUp) {
  ProcessWatch watch(&loop_, clock_, log_, true);
  bool held_up = false;
  PreciseTimer timer(&loop_, [&] {
    if (std::exchange(held_up, true)) return watch.stop();
    hold_up();
    timer.set(clock_.now() + 30 * kMs);
  });
  NextTurn unused(&loop_, [] {});
  run(timer, unused);
  EXPECT_GE(worst_stall(), kHeldUp - kLoopTime);
}

TEST_F(HeldUpLoop, IsNotedWhereItIsHeldUpBeforeItWaits) {
  ProcessWatch watch(&loop_, clock_, log_, false);
  NextTurn next_turn(&loop_, [] { hold_up(); });
  int times = 0;
  PreciseTimer timer(&loop_, [&] {
    if (++times == 3) return watch.stop();
    if (times == 1) next_turn.ask();
    timer.set(clock_.now() + 30 * kMs);
  });
  run(timer, next_turn);
  EXPECT_GE(worst_stall(), kHeldUp - kLoopTime);
}

TEST(NextTurn, ComesOnceForEachTimeItIsAskedFor) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  int turns = 0;
  NextTurn next_turn(&loop, [&] {
    if (++turns < 3) next_turn.ask();
  });
  next_turn.ask();
  next_turn.ask();
  EXPECT_EQ(turns, 0);  // not from within
  uv_run(&loop, UV_RUN_DEFAULT);
  EXPECT_EQ(turns, 3);
  next_turn.ask();
  next_turn.cancel();
  uv_run(&loop, UV_RUN_DEFAULT);
  EXPECT_EQ(turns, 3);
  next_turn.close();
  uv_run(&loop, UV_RUN_DEFAULT);
  EXPECT_EQ(uv_loop_close(&loop), 0);
}

TEST(ProcessWatch, ReadsWhatThisProcessTakes) {
  RecordingCounters counters{};
  ProcessWatch::refresh(counters);
  EXPECT_GT(counters.cpu_user_ns + counters.cpu_system_ns, 0);
  EXPECT_GT(counters.resident_bytes, 1'000'000);
}

}  // namespace
}  // namespace brokerlab
