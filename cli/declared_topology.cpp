#include "cli/declared_topology.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/error.h"

namespace brokerlab {

DeclaredTopology::DeclaredTopology(Lease& lease, Topology topology, const Clock& clock,
                                   const Interrupts& interrupts, RunObserver& observer)
    : lease_(lease),
      topology_(std::move(topology)),
      clock_(clock),
      interrupts_(interrupts),
      observer_(observer) {
  observer_.stage("declaring the topology");
  lease_.declare(topology_, progress(0));
}

DeclaredTopology::~DeclaredTopology() {
  try {
    // A run that Ctrl-C has ended removes what it made; only another one ends that, too.
    lease_.remove(topology_, progress(interrupts_.count()));
  } catch (const Error& error) {
    observer_.notice("the topology was not removed: " + error.summary());
  }
}

Lease::Progress DeclaredTopology::progress(int interrupts_before) {
  return [this, interrupts_before, step_now = std::optional<Lease::Step>(), began_ns = Nanoseconds{0},
          told_ns = Nanoseconds{0}](Lease::Step step, std::size_t done, std::size_t of) mutable {
    const bool declaring = step == Lease::Step::kDeclare;
    if (interrupts_.count() > interrupts_before) {
      throw Error(std::string("interrupted while the topology was ") + (declaring ? "declared" : "removed"),
                  "", "", ExitStatus::kInterrupted);
    }
    const Nanoseconds now = clock_.now();
    if (step_now != step) {
      step_now = step;
      began_ns = told_ns = now;
    }
    if (now - told_ns < kNanosecondsPerSecond) return;
    told_ns = now;
    const double per_s =
        static_cast<double>(done) * kNanosecondsPerSecond / static_cast<double>(now - began_ns);
    observer_.stage(fmt::format("{} the topology: {} of {} {} ({:.0f} /s)",
                                declaring ? "declaring" : "removing", done, of,
                                declaring ? "queues and bindings" : "queues", per_s));
  };
}

}  // namespace brokerlab
