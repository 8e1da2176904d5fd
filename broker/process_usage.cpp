#include "broker/process_usage.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace brokerlab {

std::optional<ProcessUsage> ProcessUsage::from_stat(std::string_view text, std::int64_t ticks_per_second,
                                                    std::int64_t page_bytes) {
  // The command name may hold blanks and brackets: fields are counted from its last bracket on.
  const auto bracket = text.rfind(')');
  if (bracket == std::string_view::npos || ticks_per_second <= 0) return std::nullopt;
  std::istringstream fields{std::string(text.substr(bracket + 1))};
  char state = 0;
  fields >> state;
  std::string skipped;
  std::int64_t user_ticks = 0, system_ticks = 0, pages = 0;
  for (int field = 4; field < 14; ++field) fields >> skipped;
  fields >> user_ticks >> system_ticks;
  for (int field = 16; field < 24; ++field) fields >> skipped;
  if (!(fields >> pages) || state == 'Z' || state == 'X') return std::nullopt;
  const Nanoseconds tick_ns = kNanosecondsPerSecond / ticks_per_second;
  return ProcessUsage{(user_ticks + system_ticks) * tick_ns, pages * page_bytes};
}

std::optional<ProcessUsage> ProcessUsage::of(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return from_stat(line, ::sysconf(_SC_CLK_TCK), ::sysconf(_SC_PAGESIZE));
}

}  // namespace brokerlab
