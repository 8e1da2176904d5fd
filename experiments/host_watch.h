#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// What the host did to us during one run: processor time stolen by a hypervisor and time tasks waited for a
// processor. Constructed at the start of the load, asked at its end; a figure the kernel does not offer is
// null. Sources: proc(5), /proc/stat field 8 "steal"; Documentation/accounting/psi.rst, /proc/pressure/cpu
// "some total".
class HostWatch {
 public:
  explicit HostWatch(const Clock& clock);

  // {"steal_share", "cpu_pressure": shares of [0, 1] or null, "boot_id", "time_namespace", "clock", "cores"}
  Json report() const;

 private:
  struct Reading {
    Nanoseconds at_ns = 0;
    std::optional<std::uint64_t> stolen_ticks;
    std::optional<std::uint64_t> all_ticks;
    std::optional<std::uint64_t> waiting_us;
  };
  Reading read() const;

  const Clock& clock_;
  Reading start_;
};

}  // namespace brokerlab
