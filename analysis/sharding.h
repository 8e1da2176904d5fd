#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "analysis/recorded_run.h"

namespace brokerlab {

// Where the keys of an exchange that picks one queue per key (consistent hash) went: how evenly they were
// spread, whether each stayed with its queue, and how many moved when a queue joined or left. Needs recorded
// keys. Definitions in docs/metrics.md, "Sharding". Some 32 bytes per distinct key, and 16 more per change
// of membership.
class ShardingAccount {
 public:
  explicit ShardingAccount(const RecordedRun& run);

  // Whether there is such an exchange and keys of its messages were recorded.
  bool any() const { return !places_.empty(); }
  // Keys that were on more than one queue between two changes.
  std::int64_t affinity_violations() const { return static_cast<std::int64_t>(violations_); }
  // The first of them: [{"exchange", "routing_key" where the plan knows it, else "key_hash", "queues",
  // "publisher", "sequence" (a message that was on another queue than others of its key)}].
  Json violating_keys() const;
  Json to_json() const;

 private:
  static constexpr std::uint32_t kNowhere = UINT32_MAX;
  // Where a key was during an epoch, or while a change of membership went on.
  struct Place {
    std::uint32_t queue = kNowhere;
    std::uint32_t other = kNowhere;  // a second queue

    // False when the key had been on another queue alone, and now is on two.
    bool add(std::uint32_t seen);
  };
  // A key that was on two queues, and a message that shows it.
  struct Violation {
    std::uint64_t key_hash;
    std::uint32_t before, queue, publisher, sequence;
  };
  struct Epoch {
    std::vector<std::uint32_t> members;  // queues bound during it, in bind order where that is known
    std::vector<std::int64_t> messages;  // by queue
    Nanoseconds begin = 0, settled = 0;  // of the change before it: asked for, and done
  };

  void choose_exchange();
  void make_epochs();
  void add(std::uint32_t queue, const DeliveryRecord& record, std::uint64_t key);
  // The places of a key: epoch, change, epoch, change, … epoch.
  std::size_t places_per_key() const { return 2 * epochs_.size() - 1; }
  const Place& place(std::size_t key, std::size_t epoch) const {
    return places_[key * places_per_key() + 2 * epoch];
  }
  std::vector<std::int64_t> stranded() const;
  Json queues_json(const std::vector<std::uint32_t>& queues, const std::vector<std::int64_t>& keys,
                   const std::vector<std::int64_t>& messages) const;
  Json epoch_json(std::size_t epoch) const;
  Json change_json(std::size_t change, std::int64_t stranded) const;
  std::vector<std::int64_t> keys_by_queue(std::size_t first_epoch, std::size_t last_epoch) const;

  const RecordedRun& run_;
  std::string exchange_;
  std::vector<bool> shared_;  // by queue: whether the exchange leads to it
  std::vector<MembershipChange> changes_;
  std::vector<Epoch> epochs_;  // one more than changes
  std::unordered_map<std::uint64_t, std::uint32_t> keys_;
  std::vector<Place> places_;  // by key, see places_per_key()
  std::uint64_t violations_ = 0;
  std::vector<Violation> violating_;  // the first LedgerAccount::kIdsListed
  std::int64_t unplaced_ = 0;
  Nanoseconds last_received_ = 0;
};

}  // namespace brokerlab
