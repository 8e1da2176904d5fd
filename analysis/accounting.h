#pragma once

#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "analysis/fairness.h"
#include "analysis/ledger.h"
#include "analysis/recorded_run.h"
#include "analysis/recovery.h"

namespace brokerlab {

// The ends of what happened, as instants; nothing where it did not happen.
struct RunExtent {
  std::optional<Nanoseconds> first_due;   // of the loads
  std::optional<Nanoseconds> first_sent;  // of the loads
  std::optional<Nanoseconds> last_sent, last_settled, last_received, last_done;

  // The latest of all, or `otherwise`.
  Nanoseconds last(Nanoseconds otherwise) const;
};

// What the events of all processes add up to.
struct EventTotals {
  Nanoseconds connection_blocked = 0, write_blocked = 0, confirm_window = 0;
  std::int64_t reconnects = 0, heartbeat_closes = 0;
  std::optional<Nanoseconds> worst_load_stall, worst_hiccup;
  std::int64_t consuming = 0,
               consuming_late = 0;  // consumers with a consume-ok; of them after the first publish
};

// First pass over the records: who sent and got what. The ledger must know every publish before the first
// delivery, and every delivery before the second pass (timing.h) can tell a first receipt from a second.
class RunAccounts {
 public:
  explicit RunAccounts(const RecordedRun& run);

  const Ledger& ledger() const { return ledger_; }
  const LedgerAccount& account() const { return account_; }
  const RunExtent& extent() const { return extent_; }
  const EventTotals& events() const { return events_; }
  std::int64_t tasks() const { return tasks_; }  // published by the loads
  // What every consumer got, and how long it could have worked; parallel to the run's consumers.
  std::vector<ConsumerShare> shares() const;
  Json fairness() const { return fairness_json(shares()); }
  Json recovery() const { return recovery_.to_json(ledger_); }
  Json downtime() const { return recovery_.downtime_json(); }
  std::optional<Nanoseconds> makespan() const;
  // Sets `gantt` and `gantt_omitted` of a run where there is work to show.
  void add_gantt(Json& run) const;

 private:
  struct Bar {
    Nanoseconds started, done;
    std::uint32_t consumer;
    bool cut;
    bool operator<(const Bar& other) const { return started < other.started; }
  };
  static constexpr std::size_t kMostBars = 5000;

  void read_publishes();
  void read_deliveries();
  void read_events();
  void add_share(std::uint32_t consumer, const DeliveryRecord& record);
  void add_bar(std::uint32_t consumer, const DeliveryRecord& record);
  bool subscribes_late(const RecordedProcess& process) const;

  const RecordedRun& run_;
  Ledger ledger_;
  RecoveryAccount recovery_;
  LedgerAccount account_;
  RunExtent extent_;
  EventTotals events_;
  std::int64_t tasks_ = 0;
  std::vector<ConsumerShare> shares_;  // parallel to the run's consumers
  std::priority_queue<Bar> bars_;      // the earliest ones; the latest of them on top
  std::int64_t bars_omitted_ = 0;
};

}  // namespace brokerlab
