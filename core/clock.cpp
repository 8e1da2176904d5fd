#include "core/clock.h"

#include <time.h>

#include <cstdio>

namespace brokerlab {

Nanoseconds MonotonicClock::now() const {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return Nanoseconds{time.tv_sec} * kNanosecondsPerSecond + time.tv_nsec;
}

std::int64_t WallClock::unix_seconds_now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec;
}

const char* WallClock::iso8601_now(char (&buffer)[32]) {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  tm parts{};
  ::gmtime_r(&time.tv_sec, &parts);
  char seconds[24];
  ::strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(buffer, sizeof buffer, "%s.%03dZ", seconds, static_cast<int>(time.tv_nsec / 1'000'000));
  return buffer;
}

}  // namespace brokerlab
