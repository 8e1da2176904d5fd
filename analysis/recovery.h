#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/ledger.h"
#include "analysis/recorded_run.h"

namespace brokerlab {

// What followed each fault, as far as the records give it, and when processes were without a connection. Feed
// every delivery and event, then ask. Twelve bytes per delivery that was unacknowledged at a fault.
class RecoveryAccount {
 public:
  explicit RecoveryAccount(const RecordedRun& run);

  void add_delivery(std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord& record);
  void add_event(const RecordedProcess& process, const EventRecord& record);
  // `ledger` tells what came again.
  Json to_json(const Ledger& ledger) const;
  // [{process, cause, from_ns, to_ns}], by time; without to_ns what lasted to the end. The first
  // kIntervalsListed.
  Json downtime_json() const;

  // When the consumer's process was killed, if a fault killed it.
  std::optional<Nanoseconds> killed_at(std::uint32_t consumer) const;

  static constexpr std::size_t kIntervalsListed = 200;

 private:
  struct Copy {
    std::uint32_t publisher, sequence, queue;
  };
  struct Entry {
    std::int64_t redelivered = 0, in_hand = 0;
    std::vector<Copy> unacked;
    std::optional<Nanoseconds> first_redelivery, last_redelivery, drained, reconnected;
    Nanoseconds wasted = 0;
    bool has_victims = false;
  };
  // A fault that reached a consumer.
  struct Hit {
    Nanoseconds at;
    std::size_t fault;
    bool ending;  // what was unacknowledged is no longer this consumer's
  };
  struct Interval {
    std::string process;
    const char* cause;
    Nanoseconds from;
    std::optional<Nanoseconds> to;
  };

  std::vector<Hit> hits_on(const ProcessEvidence& process) const;
  std::optional<std::size_t> killer_of(const ProcessEvidence& process) const;
  void add_in_hand(const Hit& hit, std::uint32_t queue, const DeliveryRecord& record);
  void add_redelivery(const DeliveryRecord& record);
  std::optional<std::size_t> fault_before(Nanoseconds at) const;
  void add_restarts(std::vector<Interval>& intervals) const;
  Json entry_json(std::size_t fault, const Ledger& ledger) const;

  const RecordedRun& run_;
  std::vector<Entry> entries_;                         // parallel to the evidence's faults
  std::vector<std::optional<std::size_t>> killed_by_;  // per consumer: the fault that killed its process
  std::vector<std::vector<Hit>> hits_;                 // per consumer, by time
  std::vector<Interval> without_connection_;
  std::vector<std::optional<Nanoseconds>> first_consuming_;  // per process of the evidence
};

// When the backlog was back at what it had been before each fault, to the interval of the series; sets
// `backlog_back_ns` of the entries of `recovery` where it had risen and came back.
void add_backlog_recovery(Json& recovery, const std::vector<double>& backlog, Nanoseconds interval);

}  // namespace brokerlab
