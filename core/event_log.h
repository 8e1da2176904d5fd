#pragma once

#include <cstdint>
#include <unordered_map>

#include "core/recording.h"

namespace brokerlab {

// Puts events into a recording without letting a frequent one flood it. One loop; must not outlive the
// recording.
class EventLog {
 public:
  // The worst of so long a time becomes one event; intervals nearer than the gap become one.
  static constexpr Nanoseconds kMergeWithin = 100'000'000;
  static constexpr Nanoseconds kMergeGap = 10'000'000;

  explicit EventLog(RecordingWriter& recording) : recording_(recording) {}

  // Something rare, always recorded by itself.
  void moment(EventKind kind, std::uint32_t instance, Nanoseconds at_ns, std::int64_t value = 0);
  // Something that lasts: ended_ns stays 0 until the caller patches it.
  EventRecord& begin(EventKind kind, std::uint32_t instance, Nanoseconds at_ns, std::int64_t value = 0);
  // Merged by extending the former interval; `value` is summed up, so that it can tell the time without the
  // gaps.
  void interval(EventKind kind, std::uint32_t instance, Nanoseconds start_ns, Nanoseconds end_ns,
                std::int64_t value);
  // Merged by keeping the greatest value.
  void worst(EventKind kind, std::uint32_t instance, Nanoseconds at_ns, std::int64_t value);

 private:
  EventRecord*& last(EventKind kind, std::uint32_t instance);

  RecordingWriter& recording_;
  std::unordered_map<std::uint64_t, EventRecord*> last_;
};

}  // namespace brokerlab
