#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.h"

namespace brokerlab {

// What the kernel counts of another process of this host: exact at the instant of the question, and nothing
// of it costs that process anything.
struct ProcessUsage {
  Nanoseconds cpu_ns = 0;  // of all its threads since it began, in steps of the kernel's clock tick (10 ms)
  std::int64_t resident_bytes = 0;

  // Nothing when there is no such process.
  static std::optional<ProcessUsage> of(pid_t pid);
  // From the text of /proc/PID/stat (proc(5)); nothing when that is no such text, or of a process that has
  // ended.
  static std::optional<ProcessUsage> from_stat(std::string_view text, std::int64_t ticks_per_second,
                                               std::int64_t page_bytes);
};

}  // namespace brokerlab
