#include "analysis/ledger.h"

#include <algorithm>

#include "core/key_hash.h"

namespace brokerlab {
namespace {

constexpr std::size_t kPhantomsListed = 100'000;

bool holds(const std::vector<std::uint32_t>& queues, std::uint32_t queue) {
  return std::find(queues.begin(), queues.end(), queue) != queues.end();
}

}  // namespace

Ledger::Ledger(std::vector<QueueEvidence> queues, bool drained)
    : queues_(std::move(queues)), drained_(drained), absent_ids_(queues_.size()) {
  account_.queues.resize(queues_.size());
  for (std::uint32_t queue = 0; queue < queues_.size(); ++queue)
    queues_by_hash_[queue_hash(queues_[queue].name)].push_back(queue);
}

bool Ledger::Publisher::attempted(std::uint32_t sequence) const {
  return sequence < outcome.size() && (outcome[sequence] & kAttempted);
}

const Ledger::Copies* Ledger::Publisher::find(std::uint32_t queue) const {
  for (const Copies& entry : copies)
    if (entry.queue == queue) return &entry;
  return nullptr;
}

Ledger::Copies& Ledger::Publisher::on(std::uint32_t queue) {
  for (Copies& entry : copies)
    if (entry.queue == queue) return entry;
  copies.push_back({queue, {}, {}, {}, {}});
  return copies.back();
}

bool Ledger::Publisher::seen_anywhere(std::uint32_t sequence) const {
  for (const Copies& entry : copies)
    if (entry.seen.seen(sequence)) return true;
  return false;
}

bool Ledger::Publisher::seen_on_one_of(std::uint32_t sequence, const std::vector<std::uint32_t>& queues,
                                       const RouteEvidence& route) const {
  return std::any_of(queues.begin(), queues.end(), [&](std::uint32_t queue) {
    const Copies* entry = find(queue);
    return entry && entry->seen.seen(sequence) && !holds(route.queues, queue);
  });
}

bool Ledger::Publisher::done_anywhere(std::uint32_t sequence) const {
  for (const Copies& entry : copies)
    if (entry.done.seen(sequence)) return true;
  return false;
}

Ledger::Publisher* Ledger::find_publisher(std::uint32_t id) {
  if (cached_ && cached_id_ == id) return cached_;
  const auto found = publishers_.find(id);
  if (found == publishers_.end()) return nullptr;
  cached_id_ = id;
  return cached_ = &found->second;
}

const Ledger::Publisher* Ledger::find_publisher(std::uint32_t id) const {
  if (cached_ && cached_id_ == id) return cached_;
  const auto found = publishers_.find(id);
  return found == publishers_.end() ? nullptr : &found->second;
}

void Ledger::declare_publisher(std::uint32_t id, std::vector<RouteEvidence> routes, RouteEvidence other,
                               bool mandatory) {
  Publisher& publisher = publishers_[id];
  publisher.routes = std::move(routes);
  publisher.other = std::move(other);
  publisher.mandatory = mandatory;
}

void Ledger::add_publish(std::uint32_t id, const PublishRecord& record) {
  Publisher* publisher = find_publisher(id);
  if (!publisher) return;  // the recording names only publishers of its header
  if (record.outcome & kRefused)
    ++account_.refused;
  else
    ++account_.published;
  if (record.sequence >= publisher->outcome.size()) {
    publisher->outcome.resize(record.sequence + 1);
    publisher->route.resize(record.sequence + 1);
  }
  std::uint8_t& outcome = publisher->outcome[record.sequence];
  if (outcome & kAttempted) {
    ++published_twice_;
    outcome |= kPublishedTwice;
  }
  outcome |= static_cast<std::uint8_t>((record.outcome & 31) | kAttempted);
  publisher->route[record.sequence] = record.route;
}

bool Ledger::finished(const DeliveryRecord& record) {
  switch (static_cast<Settlement>(record.settlement)) {
    case Settlement::kRequeued:
      return false;
    case Settlement::kAcked:
    case Settlement::kRejected:
      return true;
    case Settlement::kAutomatic:
      return record.done_ns != 0 || (record.flags & (kIgnored | kUnreadable));
    case Settlement::kNone:
      break;
  }
  return record.done_ns != 0;
}

Ledger::Kind Ledger::add_delivery(const DeliveryRecord& record, std::uint32_t consumer, std::uint32_t queue) {
  if (record.flags & (kUnstamped | kForeignRun)) {
    ++account_.foreign;
    return Kind::kForeign;
  }
  Publisher* publisher = find_publisher(record.publisher);
  if (!publisher || !publisher->attempted(record.sequence)) {
    if (phantoms_.size() < kPhantomsListed && !phantoms_.insert({record.publisher, record.sequence}).second)
      return Kind::kUnexpected;
    ++account_.unexpected;
    if (account_.unexpected_ids.size() < LedgerAccount::kIdsListed)
      account_.unexpected_ids.push_back({record.publisher, record.sequence, queue});
    return Kind::kUnexpected;
  }
  ++account_.deliveries;
  QueueAccount& totals = account_.queues[queue];
  ++totals.deliveries;
  count_settlement(record, totals);
  if (record.flags & kVerified) check_body(record, queue);
  if (record.death != 0) note_death(*publisher, record);
  Copies& copies = publisher->on(queue);
  const bool first = !copies.seen.seen(record.sequence);
  copies.seen.mark(record.sequence);
  if (finished(record)) copies.done.mark(record.sequence);
  if (static_cast<Settlement>(record.settlement) == Settlement::kRejected)
    copies.rejected.mark(record.sequence);
  if (first) note_route(*publisher, record, queue);
  account_.redelivered_flag += (record.flags & kRedelivered) != 0;
  // The broker publishes a dead letter anew, in an order of its own.
  if (!(record.flags & kRedelivered) && record.death == 0) check_order(record, consumer, queue);
  return first ? Kind::kFirst : Kind::kAgain;
}

// Several queues may share a hash: the message's own route tells which is meant.
std::optional<std::uint32_t> Ledger::queue_of_death(const RouteEvidence& route, std::uint16_t hash) const {
  const auto found = queues_by_hash_.find(hash);
  if (found == queues_by_hash_.end()) return std::nullopt;
  for (const std::uint32_t queue : found->second)
    if (holds(route.queues, queue)) return queue;
  return found->second.front();
}

void Ledger::note_death(Publisher& publisher, const DeliveryRecord& record) {
  const RouteEvidence& route = publisher.route_of(publisher.route[record.sequence]);
  const auto queue = queue_of_death(route, record.death_queue);
  if (!queue) {
    ++account_.dead_letters_from_elsewhere;
    return;
  }
  Copies& copies = publisher.on(*queue);
  if (copies.dead.seen(record.sequence)) return;
  copies.dead.mark(record.sequence);
  ++account_.queues[*queue].dead_lettered;
  ++account_.dead_letters[std::min<std::size_t>(record.death, kDeathReasons - 1)];
}

void Ledger::count_settlement(const DeliveryRecord& record, QueueAccount& queue) {
  const auto settlement = static_cast<Settlement>(record.settlement);
  account_.ignored += (record.flags & kIgnored) != 0;
  account_.unreadable += (record.flags & kUnreadable) != 0;
  const bool acked = settlement == Settlement::kAcked;
  account_.automatic += settlement == Settlement::kAutomatic;
  account_.acked += acked;
  account_.acked_after_work += acked && record.done_ns != 0 && record.settled_ns >= record.done_ns;
  account_.requeued += settlement == Settlement::kRequeued;
  account_.rejected += settlement == Settlement::kRejected;
  if (finished(record))
    ++account_.handlings.ok;
  else
    ++(settlement == Settlement::kRequeued ? account_.handlings.fail : account_.handlings.info);
  queue.requeued += settlement == Settlement::kRequeued;
  queue.rejected += settlement == Settlement::kRejected;
  queue.done_unsettled += settlement == Settlement::kNone && record.done_ns != 0;
}

void Ledger::check_body(const DeliveryRecord& record, std::uint32_t queue) {
  account_.verified = account_.verified.value_or(0) + 1;
  if (!account_.corrupted) account_.corrupted = 0;
  if (!(record.flags & kCorrupted)) return;
  ++*account_.corrupted;
  if (account_.corrupted_ids.size() < LedgerAccount::kIdsListed)
    account_.corrupted_ids.push_back({record.publisher, record.sequence, queue});
}

void Ledger::check_order(const DeliveryRecord& record, std::uint32_t consumer, std::uint32_t queue) {
  const std::uint64_t key = (static_cast<std::uint64_t>(consumer) << 32) | record.publisher;
  const auto [entry, fresh] = last_sequence_.try_emplace(key, record.sequence);
  if (fresh) return;
  if (record.sequence < entry->second) {
    ++account_.order_violations;
    if (account_.order_violation_ids.size() < LedgerAccount::kIdsListed)
      account_.order_violation_ids.push_back(
          {{record.publisher, record.sequence, queue}, consumer, entry->second});
  }
  entry->second = record.sequence;
}

void Ledger::note_route(const Publisher& publisher, const DeliveryRecord& record, std::uint32_t queue) {
  const RouteEvidence& route = publisher.route_of(publisher.route[record.sequence]);
  if (route.delivery == RouteDelivery::kUnknown) return;
  if (!holds(route.queues, queue)) {
    ++account_.rerouted;
    ++account_.queues[queue].moved_in;
    return;
  }
  if (route.delivery != RouteDelivery::kOneOf || route.key == RouteEvidence::kNoKey) return;
  StrayKey& key = keys_[route.key];
  const bool elsewhere = key.queues.insert(queue).second && key.queues.size() == 2;
  if (elsewhere) key.first = {record.publisher, record.sequence, queue};
}

bool Ledger::delivered_again(std::uint32_t publisher, std::uint32_t sequence, std::uint32_t queue) const {
  const Publisher* found = find_publisher(publisher);
  const Copies* copies = found ? found->find(queue) : nullptr;
  return copies && copies->seen.seen_again(sequence);
}

bool Ledger::delivered(std::uint32_t publisher, std::uint32_t sequence) const {
  const Publisher* found = find_publisher(publisher);
  return found && found->seen_anywhere(sequence);
}

bool Ledger::moved(std::uint32_t publisher, std::uint32_t sequence, std::uint32_t queue) const {
  const Publisher* found = find_publisher(publisher);
  if (!found || !found->attempted(sequence)) return false;
  const RouteEvidence& route = found->route_of(found->route[sequence]);
  return route.delivery != RouteDelivery::kUnknown && !holds(route.queues, queue);
}

std::optional<std::uint8_t> Ledger::route_of(std::uint32_t publisher, std::uint32_t sequence) const {
  const Publisher* found = find_publisher(publisher);
  return found && found->attempted(sequence) ? std::optional(found->route[sequence]) : std::nullopt;
}

std::optional<std::int64_t> Ledger::copies_of(std::uint32_t id, const PublishRecord& record) const {
  if (record.outcome & (kReturned | kRefused)) return 0;
  const Publisher* publisher = find_publisher(id);
  if (!publisher) return std::nullopt;
  const RouteEvidence& route = publisher->route_of(record.route);
  switch (route.delivery) {
    case RouteDelivery::kAll:
      return static_cast<std::int64_t>(route.queues.size());
    case RouteDelivery::kOneOf:
      return 1;
    case RouteDelivery::kUnknown:
      break;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Ledger::left_in(std::uint32_t queue) const {
  const QueueEvidence& evidence = queues_[queue];
  if (evidence.ready_at_end) {
    const std::int64_t left = *evidence.ready_at_end + evidence.unacked_at_end.value_or(0);
    return std::max<std::int64_t>(0, left - evidence.ready_at_start.value_or(0));
  }
  if (drained_ && evidence.consumed) return 0;
  return std::nullopt;
}

void Ledger::count_marks(LedgerAccount& account) const {
  for (const auto& [id, publisher] : publishers_) {
    for (const Copies& copies : publisher.copies) {
      QueueAccount& queue = account.queues[copies.queue];
      queue.unique += static_cast<std::int64_t>(copies.seen.unique());
      queue.duplicates += static_cast<std::int64_t>(copies.seen.duplicates());
      queue.done += static_cast<std::int64_t>(copies.done.unique());
      account.done_again += static_cast<std::int64_t>(copies.done.duplicates());
      account.duplicated += static_cast<std::int64_t>(copies.seen.repeated());
      for (const std::uint64_t sequence :
           copies.seen.repeated(LedgerAccount::kIdsListed - account.duplicated_ids.size()))
        account.duplicated_ids.push_back({id, static_cast<std::uint32_t>(sequence), copies.queue});
    }
  }
  for (const QueueAccount& queue : account.queues) {
    account.unique += queue.unique;
    account.duplicates += queue.duplicates;
    account.done += queue.done;
  }
}

void Ledger::list_strays(LedgerAccount& account) const {
  if (keys_.empty()) return;
  account.affinity_violations = 0;
  for (const auto& [number, key] : keys_) {
    if (key.queues.size() < 2) continue;
    ++*account.affinity_violations;
    if (account.stray_keys.size() >= LedgerAccount::kIdsListed) continue;
    account.stray_keys.push_back(key);
    account.stray_keys.back().key = number;
  }
}

LedgerAccount Ledger::finish() {
  LedgerAccount account = account_;
  classified_ = contradictory_outcomes_ = returned_yet_delivered_ = extra_copies_ = undecided_absent_ = 0;
  pools_.clear();
  for (auto& ids : absent_ids_) ids.clear();
  count_marks(account);
  for (const auto& [id, publisher] : publishers_) settle_publisher(id, publisher, account);
  list_strays(account);
  std::vector<std::int64_t> left;
  find_lost(account, left);
  find_lost_in_pools(account, left);
  // A loss already proven is told even while other copies are still out; without one, nothing can be said.
  if (account.outstanding == 0 || account.lost_found > 0) account.lost = account.lost_found;
  check_laws(account, left);
  return account;
}

}  // namespace brokerlab
