#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <numeric>
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

struct MessageId {
  std::uint32_t publisher = 0, sequence = 0;
  std::optional<std::uint32_t> queue;  // nothing where it belongs to none, or to any of several
};

// A message that came after a later one of the same publisher, on the same consumer.
struct OrderViolation {
  MessageId id;
  std::uint32_t consumer = 0;
  std::uint32_t after = 0;  // the later one's sequence
};

// A routing key whose messages went to more than one queue, where each key has one.
struct StrayKey {
  std::uint32_t key = 0;  // RouteEvidence::key
  std::set<std::uint32_t> queues;
  MessageId first;  // to be told of on another queue than those before it
};

// Operations by their outcome, after Jepsen: `fail` certainly did not happen, `info` may have.
struct OperationTally {
  std::int64_t ok = 0, fail = 0, info = 0;
};

struct QueueAccount {
  std::int64_t copies = 0, deliveries = 0, unique = 0, duplicates = 0, done = 0;
  std::int64_t requeued = 0, rejected = 0;
  std::int64_t done_unsettled = 0;  // work done, acknowledgement never written: the broker still has the copy
  std::int64_t absent = 0;          // promised copies that nobody finished
  std::int64_t dead_lettered = 0;   // copies that are known to have left it by dying
  std::int64_t moved_in = 0;        // copies that came by dead-lettering, or otherwise not by their route
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
  std::optional<std::int64_t> verified, corrupted;  // deliveries whose body was compared with its checksum
  std::int64_t dropped_silently = 0;                // known to have no queue, and not returned
  std::int64_t duplicated = 0;                      // copies delivered more than once
  OperationTally publishes, handlings;  // of messages to the broker; of deliveries by their consumers
  // Copies that died in their queue and came out of another one, by DeathReason; and those that name a queue
  // which is none of the run's.
  std::array<std::int64_t, kDeathReasons> dead_letters{};
  std::int64_t dead_letters_from_elsewhere = 0;
  std::vector<MessageId> lost_ids;  // the first kLostIdsListed; of the others the first kIdsListed each
  std::vector<MessageId> duplicated_ids, recovered_ids, unexpected_ids, corrupted_ids;
  std::vector<OrderViolation> order_violation_ids;
  std::vector<StrayKey> stray_keys;
  std::vector<QueueAccount> queues;
  std::vector<LedgerLaw> laws;

  static constexpr std::size_t kLostIdsListed = 1000;
  static constexpr std::size_t kIdsListed = 100;

  std::int64_t dead_lettered() const {
    return std::accumulate(dead_letters.begin(), dead_letters.end(), std::int64_t{0});
  }
};

// Builds the account from the records of all processes: first declare every publisher, then every publish,
// then every delivery (a delivery of what was never published is told only so), then finish(). Pure; one
// thread. Two bytes per message published and half a byte per copy; a quarter of a byte more where copies of
// a queue are rejected, and where they are dead-lettered.
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
  // Was any copy of this message delivered?
  bool delivered(std::uint32_t publisher, std::uint32_t sequence) const;
  // Where a message was published to; nothing when nobody published it.
  std::optional<std::uint8_t> route_of(std::uint32_t publisher, std::uint32_t sequence) const;
  // Copies that a message of this route must make; nothing when it cannot be told.
  std::optional<std::int64_t> copies_of(std::uint32_t publisher, const PublishRecord& record) const;

  LedgerAccount finish();

  // Whether the copy came to this queue by another way than its route: dead-lettered, mostly.
  bool moved(std::uint32_t publisher, std::uint32_t sequence, std::uint32_t queue) const;

  // Whether the consumer has come to an end with it: worked it off, settled it or decided not to act on it.
  static bool finished(const DeliveryRecord& record);

 private:
  struct Copies {
    std::uint32_t queue;
    SequenceSet seen, done;
    SequenceSet rejected;  // of those done: by rejection
    SequenceSet dead;      // known to have died there: they came out of another queue

    // In the hands of its consumer it ended by rejection, and nowhere else.
    bool only_rejected(std::uint32_t sequence) const {
      return rejected.seen(sequence) && !done.seen_again(sequence);
    }
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
    bool seen_anywhere(std::uint32_t sequence) const;
    // On one of `queues` to which its route does not lead.
    bool seen_on_one_of(std::uint32_t sequence, const std::vector<std::uint32_t>& queues,
                        const RouteEvidence& route) const;
    bool done_anywhere(std::uint32_t sequence) const;
  };
  static constexpr std::uint8_t kAttempted = 64, kPublishedTwice = 128;

  Publisher* find_publisher(std::uint32_t id);
  const Publisher* find_publisher(std::uint32_t id) const;
  void check_body(const DeliveryRecord& record, std::uint32_t queue);
  void check_order(const DeliveryRecord& record, std::uint32_t consumer, std::uint32_t queue);
  void note_death(Publisher& publisher, const DeliveryRecord& record);
  std::optional<std::uint32_t> queue_of_death(const RouteEvidence& route, std::uint16_t hash) const;
  void count_settlement(const DeliveryRecord& record, QueueAccount& queue);
  void note_route(const Publisher& publisher, const DeliveryRecord& record, std::uint32_t queue);
  void count_marks(LedgerAccount& account) const;
  void list_strays(LedgerAccount& account) const;
  void settle_publisher(std::uint32_t id, const Publisher& publisher, LedgerAccount& account);
  void settle_undecided(MessageId id, const Publisher& publisher, const RouteEvidence& route,
                        LedgerAccount& account);
  void settle_copy(MessageId id, const Publisher& publisher, const RouteEvidence& route, std::uint32_t queue,
                   bool promised, LedgerAccount& account);
  void settle_moved(MessageId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                    LedgerAccount& account);
  void settle_all(MessageId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                  LedgerAccount& account);
  void settle_some(MessageId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                   LedgerAccount& account);
  void absent_copy(MessageId id, std::uint32_t queue, bool promised, LedgerAccount& account);
  void absent_somewhere(MessageId id, const std::vector<std::uint32_t>& queues, bool promised,
                        LedgerAccount& account);
  void find_lost(LedgerAccount& account, std::vector<std::int64_t>& left) const;
  void find_lost_in_pools(LedgerAccount& account, std::vector<std::int64_t>& left) const;
  void check_laws(LedgerAccount& account, const std::vector<std::int64_t>& left) const;
  std::optional<std::int64_t> left_in(std::uint32_t queue) const;

  // Absent messages of which any one of several queues may still hold the copy.
  struct Pool {
    std::int64_t absent = 0;
    std::vector<MessageId> ids;
  };

  std::vector<QueueEvidence> queues_;
  std::unordered_map<std::uint16_t, std::vector<std::uint32_t>> queues_by_hash_;
  bool drained_;
  std::map<std::uint32_t, Publisher> publishers_;
  std::uint32_t cached_id_ = 0;
  Publisher* cached_ = nullptr;
  LedgerAccount account_;  // what can be counted on the way
  std::int64_t classified_ = 0, published_twice_ = 0, contradictory_outcomes_ = 0,
               returned_yet_delivered_ = 0, extra_copies_ = 0;
  std::set<std::pair<std::uint32_t, std::uint32_t>> phantoms_;
  std::unordered_map<std::uint64_t, std::uint32_t> last_sequence_;  // (consumer, publisher) -> sequence
  std::map<std::vector<std::uint32_t>, Pool> pools_;  // queues that may hold it -> absent messages
  std::vector<std::vector<MessageId>> absent_ids_;    // per queue, the first kLostIdsListed
  std::map<std::uint32_t, StrayKey> keys_;            // one_of keys, and the queues they were seen on
  std::int64_t undecided_absent_ =
      0;  // copies that may or may not be in a queue: nothing was promised of them
};

}  // namespace brokerlab
