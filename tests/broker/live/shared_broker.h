#pragma once

#include <memory>
#include <string>

#include "broker/management.h"
#include "broker/private_broker.h"

namespace brokerlab {

// One private broker for all tests of the program that do not break it; started by the first that asks. It
// also plays the "external" broker for leases.
class SharedBroker {
 public:
  static PrivateBroker& get();
  static std::unique_ptr<Management> management();
  static void end();

 private:
  static inline std::unique_ptr<PrivateBroker> broker_;
};

// Asks `condition` until it holds or `limit` has passed: for what other processes do, whose end nobody
// announces.
template <typename Condition>
bool eventually(Condition condition, Nanoseconds limit = 20 * kNanosecondsPerSecond);

}  // namespace brokerlab

#include <poll.h>

template <typename Condition>
bool brokerlab::eventually(Condition condition, Nanoseconds limit) {
  const MonotonicClock clock;
  for (const Nanoseconds end = clock.now() + limit; clock.now() < end; ::poll(nullptr, 0, 20)) {
    if (condition()) return true;
  }
  return condition();
}
