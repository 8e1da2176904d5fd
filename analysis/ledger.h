#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysis/evidence.h"
#include "core/json.h"
#include "core/recording.h"
#include "core/sequence_set.h"

namespace brokerlab {

struct LedgerLaw {
  std::string law;
  std::int64_t left = 0, right = 0;
  bool ok = true;
};

struct LostId {
  std::uint32_t publisher = 0, sequence = 0;
  std::optional<std::uint32_t> queue;  // nothing where any of several would have done
};

struct QueueAccount {
  std::int64_t copies = 0, deliveries = 0, unique = 0, duplicates = 0, done = 0;
  std::int64_t requeued = 0, rejected = 0;
  std::int64_t done_unsettled = 0;  // work done, acknowledgement never written: the broker still has the copy
  std::int64_t absent = 0;          // promised copies that nobody finished
  std::optional<std::int64_t> lost;  // of those; nothing when it cannot be told
};

// The account of every message of a run. Definitions in docs/metrics.md, "Ledger".
struct LedgerAccount {
  std::int64_t published = 0, confirmed = 0, returned = 0, nacked = 0, unknown = 0, refused = 0;
  std::int64_t unconfirmed_by_design = 0;
  std::int64_t copies = 0, deliveries = 0, unique = 0, duplicates = 0, redelivered_flag = 0;
  std::int64_t done = 0, done_again = 0;
  std::optional<std::int64_t> lost;
  std::int64_t lost_found = 0;  // lost as far as it can be told
  std::int64_t outstanding = 0, missing_unconfirmed = 0;
  std::int64_t recovered = 0, unexpected = 0, order_violations = 0;
  std::optional<std::int64_t> affinity_violations;
  std::int64_t automatic = 0, acked = 0, acked_after_work = 0;  // deliveries, by how they were settled
  std::int64_t ignored = 0, unreadable = 0, requeued = 0, rejected = 0, rerouted = 0, foreign = 0,
               unlisted = 0;
  std::int64_t dropped_silently = 0;  // known to have no queue, and not returned
  std::vector<LostId> lost_ids;       // the first kLostIdsListed
  std::vector<QueueAccount> queues;
  std::vector<LedgerLaw> laws;

  static constexpr std::size_t kLostIdsListed = 1000;
};

// Builds the account from the records of all processes: first declare every publisher, then every publish,
// then every delivery (a delivery of what was never published is told only so), then finish(). Pure; one
// thread. Two bytes per message published and half a byte per copy.
class Ledger {
 public:
  // `queues` and `drained` say what was left at the end.
  Ledger(std::vector<QueueEvidence> queues, bool drained);

  // `routes` are what PublishRecord::route indexes; `other` is for kRouteUnlisted and whatever lies beyond.
  // `mandatory`: unroutable messages come back.
  void declare_publisher(std::uint32_t id, std::vector<RouteEvidence> routes, RouteEvidence other,
                         bool mandatory);

  void add_publish(std::uint32_t publisher, const PublishRecord& record);

  // What a delivery turned out to be.
  enum class Kind { kForeign, kUnexpected, kFirst, kAgain };
  // `consumer` and `queue` are numbers of the run, not of the recording. Deliveries of one consumer come in
  // the order of their receipt.
  Kind add_delivery(const DeliveryRecord& record, std::uint32_t consumer, std::uint32_t queue);

  // After all deliveries: was this copy delivered more than once?
  bool delivered_again(std::uint32_t publisher, std::uint32_t sequence, std::uint32_t queue) const;
  // Where a message was published to; nothing when nobody published it.
  std::optional<std::uint8_t> route_of(std::uint32_t publisher, std::uint32_t sequence) const;
  // Copies that a message of this route must make; nothing when it cannot be told.
  std::optional<std::int64_t> copies_of(std::uint32_t publisher, const PublishRecord& record) const;

  LedgerAccount finish();

  // Whether the consumer has come to an end with it: worked it off, settled it or decided not to act on it.
  static bool finished(const DeliveryRecord& record);

 private:
  struct Copies {
    std::uint32_t queue;
    SequenceSet seen, done;
  };
  struct Publisher {
    std::vector<RouteEvidence> routes;
    RouteEvidence other;
    bool mandatory = true;
    std::vector<std::uint8_t> outcome;  // by sequence: PublishOutcome and the two bits below
    std::vector<std::uint8_t> route;    // by sequence
    std::vector<Copies> copies;         // few: the queues its messages were seen on

    const RouteEvidence& route_of(std::uint8_t index) const {
      return index < routes.size() ? routes[index] : other;
    }
    bool attempted(std::uint32_t sequence) const;
    Copies& on(std::uint32_t queue);
    const Copies* find(std::uint32_t queue) const;
    bool done_on(std::uint32_t sequence, std::uint32_t queue) const;
    bool seen_anywhere(std::uint32_t sequence) const;
    bool done_anywhere(std::uint32_t sequence) const;
  };
  static constexpr std::uint8_t kAttempted = 64, kPublishedTwice = 128;

  Publisher* find_publisher(std::uint32_t id);
  const Publisher* find_publisher(std::uint32_t id) const;
  void check_order(const DeliveryRecord& record, std::uint32_t consumer);
  void count_settlement(const DeliveryRecord& record, QueueAccount& queue);
  void note_route(const Publisher& publisher, const DeliveryRecord& record, std::uint32_t queue);
  void count_marks(LedgerAccount& account) const;
  void settle_publisher(std::uint32_t id, const Publisher& publisher, LedgerAccount& account);
  void settle_undecided(const Publisher& publisher, std::uint32_t sequence, const RouteEvidence& route,
                        LedgerAccount& account);
  void settle_all(LostId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                  LedgerAccount& account);
  void settle_some(LostId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                   LedgerAccount& account);
  void absent_copy(LostId id, std::uint32_t queue, bool promised, LedgerAccount& account);
  void absent_somewhere(LostId id, const std::vector<std::uint32_t>& queues, bool promised,
                        LedgerAccount& account);
  void find_lost(LedgerAccount& account, std::vector<std::int64_t>& left) const;
  void find_lost_in_pools(LedgerAccount& account, std::vector<std::int64_t>& left) const;
  void check_laws(LedgerAccount& account, const std::vector<std::int64_t>& left) const;
  std::optional<std::int64_t> left_in(std::uint32_t queue) const;

  // Absent messages of which any one of several queues may still hold the copy.
  struct Pool {
    std::int64_t absent = 0;
    std::vector<LostId> ids;
  };

  std::vector<QueueEvidence> queues_;
  bool drained_;
  std::map<std::uint32_t, Publisher> publishers_;
  std::uint32_t cached_id_ = 0;
  Publisher* cached_ = nullptr;
  LedgerAccount account_;  // what can be counted on the way
  std::int64_t classified_ = 0, published_twice_ = 0, contradictory_outcomes_ = 0,
               returned_yet_delivered_ = 0, extra_copies_ = 0;
  std::set<std::pair<std::uint32_t, std::uint32_t>> phantoms_;
  std::unordered_map<std::uint64_t, std::uint32_t> last_sequence_;  // (consumer, publisher) -> sequence
  std::map<std::vector<std::uint32_t>, Pool> pools_;             // queues that may hold it -> absent messages
  std::vector<std::vector<LostId>> absent_ids_;                  // per queue, the first kLostIdsListed
  std::map<std::uint32_t, std::set<std::uint32_t>> key_queues_;  // one_of keys -> queues they were seen on
  std::int64_t undecided_absent_ =
      0;  // copies that may or may not be in a queue: nothing was promised of them
};

}  // namespace brokerlab
