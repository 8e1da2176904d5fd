#pragma once

#include <cstdint>

namespace brokerlab {

// Nanoseconds of CLOCK_MONOTONIC: comparable between the processes of one host and one time namespace.
using Nanoseconds = std::int64_t;

inline constexpr Nanoseconds kNanosecondsPerSecond = 1'000'000'000;

// The only source of time in the project, injected everywhere, so that a test can run an hour in a
// millisecond.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Nanoseconds now() const = 0;
};

// Reads CLOCK_MONOTONIC.
class MonotonicClock final : public Clock {
 public:
  Nanoseconds now() const override;
};

// A clock that stands still until it is told to move. For tests and simulations; one thread.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(Nanoseconds start = 0) : now_(start) {}
  Nanoseconds now() const override { return now_; }
  void advance(Nanoseconds by) { now_ += by; }
  void set(Nanoseconds now) { now_ = now; }

 private:
  Nanoseconds now_;
};

// Wall-clock time as ISO 8601 in UTC with milliseconds, e.g. "2026-11-21T03:13:55.123Z". For stamps people
// read, never for intervals.
class WallClock {
 public:
  static std::int64_t unix_seconds_now();
  static const char* iso8601_now(char (&buffer)[32]);
};

}  // namespace brokerlab
