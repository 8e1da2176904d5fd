// The second half of the ledger: what became of each message, once every record is in.
#include <algorithm>
#include <numeric>

#include "analysis/ledger.h"

namespace brokerlab {

namespace {

void recovered(MessageId id, LedgerAccount& account) {
  ++account.recovered;
  if (account.recovered_ids.size() < LedgerAccount::kIdsListed) account.recovered_ids.push_back(id);
}

}  // namespace

void Ledger::settle_publisher(std::uint32_t id, const Publisher& publisher, LedgerAccount& account) {
  for (std::uint32_t sequence = 0; sequence < publisher.outcome.size(); ++sequence) {
    const std::uint8_t outcome = publisher.outcome[sequence];
    if (!(outcome & kAttempted)) continue;
    const RouteEvidence& route = publisher.route_of(publisher.route[sequence]);
    const MessageId message{id, sequence, std::nullopt};
    account.confirmed += (outcome & kConfirmed) != 0;
    contradictory_outcomes_ += (outcome & kConfirmed) && (outcome & kNacked);
    if (outcome & (kRefused | kReturned | kNacked))
      ++account.publishes.fail;
    else
      ++((outcome & kConfirmed) ? account.publishes.ok : account.publishes.info);
    if (outcome & kRefused) {
      if (publisher.seen_anywhere(sequence)) recovered(message, account);
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
      settle_undecided(message, publisher, route, account);
    else if (route.delivery == RouteDelivery::kAll)
      settle_all(message, publisher, route, promised, account);
    else
      settle_some(message, publisher, route, promised, account);
  }
}

// Nothing was promised: only what was seen counts as a copy, and what was not may or may not lie in a queue.
void Ledger::settle_undecided(MessageId id, const Publisher& publisher, const RouteEvidence& route,
                              LedgerAccount& account) {
  bool seen = false;
  for (const Copies& copies : publisher.copies) {
    if (!copies.seen.seen(id.sequence)) continue;
    seen = true;
    ++account.copies;
    ++account.queues[copies.queue].copies;
  }
  if (seen) recovered(id, account);
  undecided_absent_ += static_cast<std::int64_t>(std::max<std::size_t>(1, route.queues.size()));
}

void Ledger::settle_all(MessageId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                        LedgerAccount& account) {
  for (const std::uint32_t queue : route.queues) {
    ++account.copies;
    ++account.queues[queue].copies;
    settle_copy(id, publisher, route, queue, promised, account);
  }
  if (account_.rerouted > 0) settle_moved(id, publisher, route, promised, account);
}

// One copy that must have been in `queue`. If nobody finished it, it died there and came out of another
// queue, or is still in it, or in one that takes its dead letters, or is gone.
void Ledger::settle_copy(MessageId id, const Publisher& publisher, const RouteEvidence& route,
                         std::uint32_t queue, bool promised, LedgerAccount& account) {
  const Copies* copies = publisher.find(queue);
  const bool done = copies != nullptr && copies->done.seen(id.sequence);
  if (done && !copies->only_rejected(id.sequence)) return;
  if (copies != nullptr && copies->dead.seen(id.sequence)) return;
  const auto& dead_letters = queues_[queue].dead_letter_queues;
  if (dead_letters && publisher.seen_on_one_of(id.sequence, *dead_letters, route)) return;
  if (done) {  // rejected: due in another queue, where there is one for it
    if (dead_letters && !dead_letters->empty()) absent_somewhere(id, *dead_letters, promised, account);
  } else if (!dead_letters || dead_letters->empty()) {
    absent_copy(id, queue, promised, account);
  } else {
    std::vector<std::uint32_t> places = {queue};
    places.insert(places.end(), dead_letters->begin(), dead_letters->end());
    absent_somewhere(id, places, promised, account);
  }
}

// Copies on queues to which the message's route does not lead.
void Ledger::settle_moved(MessageId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                          LedgerAccount& account) {
  for (const Copies& copies : publisher.copies) {
    if (!copies.seen.seen(id.sequence)) continue;
    if (std::find(route.queues.begin(), route.queues.end(), copies.queue) != route.queues.end()) continue;
    settle_copy(id, publisher, route, copies.queue, promised, account);
  }
}

// One of several queues, or queues that nobody listed: copies are where they were seen; a message seen
// nowhere must at least be somewhere if it was confirmed without coming back.
void Ledger::settle_some(MessageId id, const Publisher& publisher, const RouteEvidence& route, bool promised,
                         LedgerAccount& account) {
  const bool one_of = route.delivery == RouteDelivery::kOneOf;
  std::int64_t seen = 0;
  for (const Copies& copies : publisher.copies) {
    if (!copies.seen.seen(id.sequence) && !copies.dead.seen(id.sequence)) continue;
    if (one_of && std::find(route.queues.begin(), route.queues.end(), copies.queue) == route.queues.end())
      continue;
    ++seen;
    ++account.copies;
    ++account.queues[copies.queue].copies;
    settle_copy(id, publisher, route, copies.queue, promised, account);
  }
  if (one_of) settle_moved(id, publisher, route, promised, account);
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

void Ledger::absent_copy(MessageId id, std::uint32_t queue, bool promised, LedgerAccount& account) {
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

void Ledger::absent_somewhere(MessageId id, const std::vector<std::uint32_t>& queues, bool promised,
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
void name_lost(LedgerAccount& account, const std::vector<MessageId>& ids) {
  for (const MessageId& id : ids)
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
  const std::int64_t rejected = account.dead_letters[static_cast<std::size_t>(DeathReason::kRejected)];
  if (rejected > 0)
    account.laws.push_back({"dead letters that were rejected <= rejections", rejected, account.rejected,
                            rejected <= account.rejected});

  // Left over beyond the promised copies can only be what was undecided, worked off without an
  // acknowledgement, or dead-lettered. Where the broker may drop messages by itself and nobody knows where
  // to, they may turn up in any queue: no law.
  const bool limited = std::any_of(queues_.begin(), queues_.end(), [](const auto& queue) {
    return queue.limited && !queue.dead_letter_queues;
  });
  if (limited || account.foreign > 0) return;
  std::int64_t leftover = 0, explained = undecided_absent_ + account.rejected;
  for (const std::int64_t remaining : left) leftover += std::max<std::int64_t>(0, remaining);
  for (const QueueAccount& queue : account.queues) explained += queue.done_unsettled;
  account.laws.push_back({"left in the queues beyond the promised copies <= what explains it", leftover,
                          explained, leftover <= explained});
}

}  // namespace brokerlab
