#pragma once

#include "broker/lease.h"
#include "broker/topology.h"
#include "core/clock.h"
#include "experiments/interrupts.h"
#include "experiments/run_observer.h"

namespace brokerlab {

// The topology of a run, for as long as this object lives. Long lists tell the observer every second how far
// they are; Ctrl-C ends them. Controller only, one thread; both ends block.
class DeclaredTopology {
 public:
  // Throws Error: as Lease::declare(); interrupted.
  DeclaredTopology(Lease& lease, Topology topology, const Clock& clock, const Interrupts& interrupts,
                   RunObserver& observer);
  // A broker that died keeps nothing, so failing to remove is told, not thrown.
  ~DeclaredTopology();
  DeclaredTopology(const DeclaredTopology&) = delete;
  DeclaredTopology& operator=(const DeclaredTopology&) = delete;

 private:
  // Throws once there were more interrupts than that.
  Lease::Progress progress(int interrupts_before);

  Lease& lease_;
  const Topology topology_;
  const Clock& clock_;
  const Interrupts& interrupts_;
  RunObserver& observer_;
};

}  // namespace brokerlab
