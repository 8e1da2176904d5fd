// The second half of the ledger: what became of each message, once every record is in.
#include <algorithm>
#include <numeric>

#include "analysis/ledger.h"

namespace brokerlab {

void Ledger::settle_publisher(std::uint32_t id, const Publisher& publisher, LedgerAccount& account) {
  for (std::uint32_t sequence = 0; sequence < publisher.outcome.size(); ++sequence) {
    const std::uint8_t outcome = publisher.outcome[sequence];
    if (!(outcome & kAttempted)) continue;
    const RouteEvidence& route = publisher.route_of(publisher.route[sequence]);
    const LostId lost_id{id, sequence, std::nullopt};
    account.confirmed += (outcome & kConfirmed) != 0;
    contradictory_outcomes_ += (outcome & kConfirmed) && (outcome & kNacked);
    if (outcome & kRefused) {
      if (publisher.seen_anywhere(sequence)) ++account.recovered;
      continue;
    }
    ++classified_;
    if (outcome & kReturned) {
      ++account.returned;
      returned_yet_delivered_ += publisher.seen_anywhere(sequence);
      continue;
    }
    if (route.delivery == RouteDelivery::kUnknown) ++account.unlisted;
    if (route.delivery == RouteDelivery::kAll && route.queues.empty()) ++account.dropped_silently;
    const bool promised = (outcome & kConfirmed) != 0;
    if (outcome & kNacked) {
      ++account.nacked;
    } else if (!promised && (outcome & kUnconfirmedByDesign)) {
      ++account.unconfirmed_by_design;
    } else if (!promised) {
      ++account.unknown;
    }
    if ((outcome & kNacked) || (!promised && !(outcome & kUnconfirmedByDesign)))
      settle_undecided(publisher, sequence, route, account);
    else if (route.delivery == RouteDelivery::kAll)
      settle_all(lost_id, publisher, route, promised, account);
    else
      settle_some(lost_id, publisher, route, promised, account);
  }
}

// Nothing was promised: only what was seen counts as a copy, and what was not may or may not lie in a queue.
void Ledger::settle_undecided(const Publisher& publisher, std::uint32_t sequence, const RouteEvidence& route,
                              LedgerAccount& account) {
  bool seen = false;
  for (const Copies& copies : publisher.copies) {
    if (!copies.seen.seen(sequence)) continue;
    seen = true;
    ++account.copies;
    ++account.queues[copies.queue].copies;
  }
  account.recovered += seen;
  undecided_absent_ += static_cast<std::int64_t>(std::max<std::size_t>(1, route.queues.size()));
}

void Ledger::settle_all(LostId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                        LedgerAccount& account) {
  for (const std::uint32_t queue : route.queues) {
    ++account.copies;
    ++account.queues[queue].copies;
    if (!publisher.done_on(id.sequence, queue)) absent_copy(id, queue, promised, account);
  }
}

// One of several queues, or queues that nobody listed: copies are where they were seen; a message seen
// nowhere must at least be somewhere if it was confirmed without coming back.
void Ledger::settle_some(LostId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                         LedgerAccount& account) {
  const bool one_of = route.delivery == RouteDelivery::kOneOf;
  std::int64_t seen = 0;
  for (const Copies& copies : publisher.copies) {
    if (!copies.seen.seen(id.sequence)) continue;
    if (one_of && std::find(route.queues.begin(), route.queues.end(), copies.queue) == route.queues.end())
      continue;
    ++seen;
    ++account.copies;
    ++account.queues[copies.queue].copies;
    if (!copies.done.seen(id.sequence)) absent_copy(id, copies.queue, promised, account);
  }
  if (one_of && seen > 1) extra_copies_ += seen - 1;
  // Seen only where it was not sent: dead-lettered before anybody received it, which is no loss.
  if (seen > 0 || (one_of && publisher.seen_anywhere(id.sequence))) return;
  if (one_of && route.queues.empty()) return;
  if (one_of || publisher.mandatory) {
    ++account.copies;
    absent_somewhere(id, route.queues, promised, account);
  } else {
    ++undecided_absent_;
  }
}

void Ledger::absent_copy(LostId id, std::uint32_t queue, bool promised, LedgerAccount& account) {
  if (!promised) {
    ++account.missing_unconfirmed;
    ++undecided_absent_;
    return;
  }
  ++account.queues[queue].absent;
  if (absent_ids_[queue].size() < LedgerAccount::kLostIdsListed) {
    id.queue = queue;
    absent_ids_[queue].push_back(id);
  }
}

void Ledger::absent_somewhere(LostId id, const std::vector<std::uint32_t>& queues, bool promised,
                              LedgerAccount& account) {
  if (!promised) {
    ++account.missing_unconfirmed;
    ++undecided_absent_;
    return;
  }
  std::vector<std::uint32_t> held_by = queues;
  if (held_by.empty()) {
    held_by.resize(queues_.size());
    std::iota(held_by.begin(), held_by.end(), 0u);
  }
  Pool& pool = pools_[held_by];
  ++pool.absent;
  if (pool.ids.size() < LedgerAccount::kLostIdsListed) pool.ids.push_back(id);
}

namespace {

// Which of several absent messages still lie in a queue cannot be told, so ids are named only where none
// does.
void name_lost(LedgerAccount& account, const std::vector<LostId>& ids) {
  for (const LostId& id : ids)
    if (account.lost_ids.size() < LedgerAccount::kLostIdsListed) account.lost_ids.push_back(id);
}

}  // namespace

void Ledger::find_lost(LedgerAccount& account, std::vector<std::int64_t>& left) const {
  left.assign(queues_.size(), -1);
  for (std::uint32_t queue = 0; queue < queues_.size(); ++queue) {
    QueueAccount& totals = account.queues[queue];
    const auto remaining = left_in(queue);
    if (!remaining) {
      account.outstanding += totals.absent;
      if (totals.absent == 0) totals.lost = 0;
      continue;
    }
    totals.lost = std::max<std::int64_t>(0, totals.absent - *remaining);
    account.lost_found += *totals.lost;
    if (*remaining == 0) name_lost(account, absent_ids_[queue]);
    left[queue] = *remaining - std::min(*remaining, totals.absent);
  }
}

void Ledger::find_lost_in_pools(LedgerAccount& account, std::vector<std::int64_t>& left) const {
  for (const auto& [queues, pool] : pools_) {
    if (std::any_of(queues.begin(), queues.end(), [&](std::uint32_t queue) { return left[queue] < 0; })) {
      account.outstanding += pool.absent;
      continue;
    }
    std::int64_t absent = pool.absent;
    for (const std::uint32_t queue : queues) {
      const std::int64_t covered = std::min(absent, left[queue]);
      left[queue] -= covered;
      absent -= covered;
    }
    account.lost_found += absent;
    if (absent == pool.absent) name_lost(account, pool.ids);
  }
}

void Ledger::check_laws(LedgerAccount& account, const std::vector<std::int64_t>& left) const {
  const auto equal = [&](const char* law, std::int64_t a, std::int64_t b) {
    account.laws.push_back({law, a, b, a == b});
  };
  equal("published = confirmed and routed + returned + nacked + without confirms + unknown",
        account.published, classified_);
  equal("sequence numbers published twice = 0", published_twice_, 0);
  equal("messages both confirmed and nacked = 0", contradictory_outcomes_, 0);
  equal("deliveries = unique + duplicates", account.deliveries, account.unique + account.duplicates);
  equal("returned messages that were delivered = 0", returned_yet_delivered_, 0);
  equal("second copies of messages for one of several queues = 0", extra_copies_, 0);

  // Left over beyond the promised copies can only be what was undecided, worked off without an
  // acknowledgement, or dead-lettered. Where the broker may drop messages by itself they may turn up in a
  // dead letter queue: no law.
  const bool limited =
      std::any_of(queues_.begin(), queues_.end(), [](const auto& queue) { return queue.limited; });
  if (limited || account.foreign > 0) return;
  std::int64_t leftover = 0, explained = undecided_absent_ + account.rejected;
  for (const std::int64_t remaining : left) leftover += std::max<std::int64_t>(0, remaining);
  for (const QueueAccount& queue : account.queues) explained += queue.done_unsettled;
  account.laws.push_back({"left in the queues beyond the promised copies <= what explains it", leftover,
                          explained, leftover <= explained});
}

}  // namespace brokerlab
