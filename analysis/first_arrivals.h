#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "analysis/accounting.h"
#include "analysis/recorded_run.h"

namespace brokerlab {

// A copy (one message in one queue) by its first receipt and its first completion, whichever of its
// deliveries they came from. Times are instants of the clock; 0: it never happened.
struct FirstArrival {
  std::uint32_t publisher, sequence, queue, role;
  Nanoseconds intended, sent, received, done;
  Nanoseconds finished;  // done, or settled without any work, and not yet counted out of the backlog
};

// Joins the deliveries of each copy into one arrival. Those delivered once are passed on at once, the others
// by finish(). One pass over a run's deliveries; `run`, `accounts` must outlive it.
class FirstArrivals {
 public:
  using Visitor = std::function<void(const FirstArrival&)>;
  FirstArrivals(const RecordedRun& run, const RunAccounts& accounts, Visitor visit);

  // Deliveries of another run, or of somebody's own messages, are nobody's arrival.
  void add(std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord& record);
  void finish();

 private:
  bool already_out(const DeliveryRecord& record, std::uint32_t queue) const;

  const RecordedRun& run_;
  const RunAccounts& accounts_;
  Visitor visit_;
  std::vector<FirstArrival> contested_;  // deliveries of copies that were delivered more than once
};

}  // namespace brokerlab
