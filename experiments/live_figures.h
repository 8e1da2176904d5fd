#pragma once

#include <cstdint>
#include <deque>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// What the processes of a run have counted so far, all of them together.
struct LiveCounts {
  std::int64_t published = 0, confirmed = 0;  // by the loads
  std::int64_t published_by_all = 0, confirmed_by_all = 0, returned = 0, nacked = 0;
  std::int64_t received = 0, done = 0, redelivered = 0, ignored = 0, unreadable = 0, corrupted = 0;
};

// The figures of a run that goes on, at the places they will have in its result: what thresholds that end a
// run early are about. Counts are those so far. Rates are of the last two seconds, and there are none before
// the first second is over, nor once the load is. Plain state, one thread.
class LiveFigures {
 public:
  Json at(Nanoseconds now, const LiveCounts& counts, bool loading);

 private:
  struct Moment {
    Nanoseconds at_ns;
    LiveCounts counts;
  };
  std::deque<Moment> moments_;
};

}  // namespace brokerlab
