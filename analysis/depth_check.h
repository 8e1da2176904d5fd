#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/broker_account.h"
#include "analysis/recorded_run.h"

namespace brokerlab {

// Holds what the broker says is in its queues against what our recordings say must be in them at the same
// instant. At least what was confirmed and not yet acknowledged; at most what was sent and has not been
// acknowledged for a second, which is the time that the broker is given to take an acknowledgement. Both
// sides are measured independently of each other, so that a flaw of either shows. It says nothing where
// something else may put messages in or take them out: faults, limits, dead letters, unknown routes. Fed with
// the records of a run, in any order, by whoever reads them anyway.
class DepthCheck {
 public:
  DepthCheck(const RecordedRun& run, const BrokerAccount& broker);

  // `copies`: into how many queues the message went; nothing where that is not known.
  void add(const PublishRecord& record, std::optional<std::int64_t> copies);
  void add(const DeliveryRecord& record, bool automatic);

  struct Outcome {
    double share = 0;    // of the deepest that it was, by which the worst depth lies outside of its bounds
    std::string detail;  // about that one
  };
  std::optional<Outcome> outcome() const;
  // Why there is none.
  const std::string& unsound() const { return unsound_; }

 private:
  struct Point {
    Nanoseconds at_ns, until_ns;
    std::int64_t depth;
  };
  // From the first point on that was told at `at` or later, there are so many more, or fewer.
  void change(std::vector<std::int64_t>& changes, Nanoseconds at, std::int64_t by, bool by_end) const;

  const Nanoseconds t0_;
  std::vector<Point> points_;               // by time
  std::vector<std::int64_t> least_, most_;  // changes from one point to the next
  std::string unsound_;
};

}  // namespace brokerlab
