#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/clock.h"

namespace brokerlab {

// A message of one queue, as it was measured: when it could be delivered, and how long the work took.
struct ReplayedTask {
  Nanoseconds arrival;
  Nanoseconds service;
};

struct ReplayServers {
  std::size_t consumers = 1;
  std::size_t prefetch = 1;  // messages a consumer may hold; 0: any number, they are dealt out as they come
  Nanoseconds turnaround =
      0;  // of a consumer, between the end of one piece of work and the start of the next
};

// What the waits would have been had these very messages gone through one queue, first come, first served:
// delivered to the consumers in turn, as long as they have room. Where it parts from what was measured, no
// randomness is to blame. `tasks` by arrival; the waits, from arrival to the start of the work, are parallel
// to them. Cost: a heap operation per message.
std::vector<Nanoseconds> replay_waits(std::span<const ReplayedTask> tasks, const ReplayServers& servers);

}  // namespace brokerlab
