#pragma once

#include <optional>
#include <vector>

#include "analysis/recorded_run.h"

namespace brokerlab {

// What followed each fault, as far as the records give it. Feed every delivery and event, then ask.
class RecoveryAccount {
 public:
  explicit RecoveryAccount(const RecordedRun& run);

  void add_delivery(std::uint32_t consumer, const DeliveryRecord& record);
  void add_event(const EventRecord& record);
  Json to_json() const;

  // When the consumer's process was killed, if a fault killed it.
  std::optional<Nanoseconds> killed_at(std::uint32_t consumer) const;

 private:
  struct Entry {
    std::int64_t redelivered = 0, unacked = 0, in_hand = 0;
    std::optional<Nanoseconds> first_redelivery, last_redelivery, drained, reconnected;
    Nanoseconds wasted = 0;
    bool has_victims = false;
  };
  void add_to_victim(Entry& entry, Nanoseconds fault_at, const DeliveryRecord& record) const;
  std::optional<std::size_t> fault_before(Nanoseconds at) const;

  const RecordedRun& run_;
  std::vector<Entry> entries_;                        // parallel to the evidence's faults
  std::vector<std::optional<std::size_t>> fault_of_;  // per consumer: the fault that killed its process
};

}  // namespace brokerlab
