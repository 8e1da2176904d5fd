#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/stamp.h"

namespace brokerlab {

// What a simulated message carries on itself: the stamp, and what only some runs look at.
struct SimulatedStamp {
  Nanoseconds intended_ns = 0;
  Nanoseconds sent_ns = 0;
  std::uint32_t publisher = 0;
  std::uint32_t sequence = 0;
  std::uint32_t hops = 0;
  std::uint32_t contents = 0;  // its number among the contents; 0: none are kept
};

struct SimulatedContents {
  std::string body;
  std::string routing_key;
  std::optional<Stamp::Origin> origin;
};

// All messages of a simulated run, by number. Kept until the run is over: 32 bytes each, and the contents of
// those that a role looks at. One thread.
class SimulatedMessages {
 public:
  std::uint64_t add(const SimulatedStamp& stamp) {
    stamps_.push_back(stamp);
    return stamps_.size() - 1;
  }
  std::uint64_t add(SimulatedStamp stamp, SimulatedContents contents) {
    contents_.push_back(std::move(contents));
    stamp.contents = static_cast<std::uint32_t>(contents_.size());
    return add(stamp);
  }
  const SimulatedStamp& stamp(std::uint64_t message) const { return stamps_[message]; }
  const SimulatedContents& contents(const SimulatedStamp& stamp) const {
    static const SimulatedContents kNone;
    return stamp.contents == 0 ? kNone : contents_[stamp.contents - 1];
  }

 private:
  std::deque<SimulatedStamp> stamps_;
  std::deque<SimulatedContents> contents_;
};

}  // namespace brokerlab
