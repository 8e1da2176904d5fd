#include "core/event_log.h"

#include <algorithm>

namespace brokerlab {

void EventLog::moment(EventKind kind, std::uint32_t instance, Nanoseconds at_ns, std::int64_t value) {
  recording_.append_event({at_ns, at_ns, static_cast<std::uint32_t>(kind), instance, value});
}

EventRecord& EventLog::begin(EventKind kind, std::uint32_t instance, Nanoseconds at_ns, std::int64_t value) {
  return recording_.append_event({at_ns, 0, static_cast<std::uint32_t>(kind), instance, value});
}

EventRecord*& EventLog::last(EventKind kind, std::uint32_t instance) {
  return last_[static_cast<std::uint64_t>(kind) << 32 | instance];
}

void EventLog::interval(EventKind kind, std::uint32_t instance, Nanoseconds start_ns, Nanoseconds end_ns,
                        std::int64_t value) {
  EventRecord*& former = last(kind, instance);
  if (former != nullptr && start_ns - former->ended_ns < kMergeGap) {
    former->ended_ns = std::max(former->ended_ns, end_ns);
    former->value += value;
    return;
  }
  former = &recording_.append_event({start_ns, end_ns, static_cast<std::uint32_t>(kind), instance, value});
}

void EventLog::worst(EventKind kind, std::uint32_t instance, Nanoseconds at_ns, std::int64_t value) {
  EventRecord*& former = last(kind, instance);
  if (former != nullptr && at_ns - former->at_ns < kMergeWithin) {
    former->ended_ns = at_ns;
    former->value = std::max(former->value, value);
    return;
  }
  former = &recording_.append_event({at_ns, at_ns, static_cast<std::uint32_t>(kind), instance, value});
}

}  // namespace brokerlab
