// The checker checked: into a history in which everything is right one fault is put, and exactly that must be
// found, with its identity, and nothing else.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "core/random.h"
#include "tests/analysis/ledger_history.h"

namespace brokerlab {
namespace {

constexpr std::uint32_t kPublishers = 3, kPerPublisher = 240, kQueues = 4;
constexpr std::uint32_t kNackedSequence = 77;  // of publisher 1: refused by the broker, delivered to nobody

// publisher, sequence, queue
using Id = std::tuple<std::uint32_t, std::uint32_t, std::optional<std::uint32_t>>;

std::set<Id> ids(const std::vector<MessageId>& list) {
  std::set<Id> set;
  for (const MessageId& id : list) set.insert({id.publisher, id.sequence, id.queue});
  return set;
}

// All that a ledger can find.
struct Findings {
  std::set<Id> lost, duplicated, unexpected, recovered;
  std::set<std::pair<Id, std::uint32_t>> order;       // what came late, and after which
  std::set<std::pair<std::uint32_t, Id>> stray_keys;  // and the message that showed it
  std::int64_t rerouted = 0;
  std::vector<std::string> laws;

  explicit Findings(const LedgerAccount& account)
      : lost(ids(account.lost_ids)),
        duplicated(ids(account.duplicated_ids)),
        unexpected(ids(account.unexpected_ids)),
        recovered(ids(account.recovered_ids)),
        rerouted(account.rerouted) {
    for (const OrderViolation& found : account.order_violation_ids)
      order.insert({{found.id.publisher, found.id.sequence, found.id.queue}, found.after});
    for (const StrayKey& stray : account.stray_keys)
      stray_keys.insert({stray.key, {stray.first.publisher, stray.first.sequence, stray.first.queue}});
    for (const LedgerLaw& law : account.laws)
      if (!law.ok) laws.push_back(law.law);
    // The totals beside the lists.
    EXPECT_EQ(account.lost, static_cast<std::int64_t>(lost.size()));
    EXPECT_EQ(account.duplicated, static_cast<std::int64_t>(duplicated.size()));
    EXPECT_EQ(account.unexpected, static_cast<std::int64_t>(unexpected.size()));
    EXPECT_EQ(account.recovered, static_cast<std::int64_t>(recovered.size()));
    EXPECT_EQ(account.order_violations, static_cast<std::int64_t>(order.size()));
    EXPECT_EQ(account.affinity_violations, static_cast<std::int64_t>(stray_keys.size()));
  }
  Findings() = default;
  bool operator==(const Findings&) const = default;
};

void PrintTo(const Findings& found, std::ostream* out) {
  *out << found.lost.size() << " lost, " << found.duplicated.size() << " duplicated, "
       << found.unexpected.size() << " unexpected, " << found.recovered.size() << " recovered, "
       << found.order.size() << " out of order, " << found.stray_keys.size() << " stray keys, "
       << found.rerouted << " rerouted, " << found.laws.size() << " broken laws";
}

// Three publishers; a third of the messages go to queue 0, a third to the queues 1 and 2, the others by their
// key to one of 2 and 3; a consumer per queue, one message in nine is handed back first and comes again.
LedgerHistory clean_history() {
  LedgerHistory history;
  for (std::uint32_t queue = 0; queue < kQueues; ++queue)
    history.queues.push_back(LedgerHistory::empty_queue("q" + std::to_string(queue)));
  history.publishers = kPublishers;
  history.routes = {{0, RouteDelivery::kAll, {0}},
                    {1, RouteDelivery::kAll, {1, 2}},
                    {2, RouteDelivery::kOneOf, {2, 3}},
                    {3, RouteDelivery::kOneOf, {2, 3}}};
  for (std::uint32_t sequence = 0; sequence < kPerPublisher; ++sequence) {
    for (std::uint32_t publisher = 0; publisher < kPublishers; ++publisher) {
      const auto route = static_cast<std::uint8_t>(sequence % 4);
      const bool nacked = publisher == 1 && sequence == kNackedSequence;
      history.publishes.push_back(
          {publisher, LedgerHistory::published(sequence, route, nacked ? kNacked : kConfirmed)});
      if (nacked) continue;
      std::vector<std::uint32_t> queues = history.routes[route].queues;
      if (route >= 2) queues = {route};  // key 2 to queue 2, key 3 to queue 3
      for (const std::uint32_t queue : queues)
        history.deliveries.push_back(
            {queue, queue, LedgerHistory::delivered(publisher, sequence, Settlement::kAcked)});
    }
  }
  return history;
}

class Mutation : public testing::TestWithParam<std::uint64_t> {
 protected:
  // A delivery drawn by the seed.
  LedgerHistory::Delivery& any() { return history.deliveries[pick(history.deliveries.size())]; }
  LedgerHistory::Delivery& any_of_route(std::uint32_t low, std::uint32_t high) {
    for (;;) {
      LedgerHistory::Delivery& found = any();
      if (const std::uint32_t route = found.record.sequence % 4; route >= low && route <= high) return found;
    }
  }
  std::size_t pick(std::size_t below) { return random.below(below); }
  static Id id_of(const LedgerHistory::Delivery& delivery) {
    return {delivery.record.publisher, delivery.record.sequence, delivery.queue};
  }
  Findings found() const { return Findings(history.account()); }

  Random random{GetParam()};
  LedgerHistory history = clean_history();
  Findings expected;
};

TEST_P(Mutation, NoneIsFoundInTheCleanHistory) { EXPECT_EQ(found(), expected); }

TEST_P(Mutation, OneLoss) {
  LedgerHistory::Delivery& victim = any_of_route(0, 1);
  expected.lost = {id_of(victim)};
  history.deliveries.erase(history.deliveries.begin() + (&victim - history.deliveries.data()));
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneLossOfAMessageForOneOfSeveralQueues) {
  LedgerHistory::Delivery& victim = any_of_route(2, 3);
  expected.lost = {{victim.record.publisher, victim.record.sequence, std::nullopt}};
  history.deliveries.erase(history.deliveries.begin() + (&victim - history.deliveries.data()));
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneDeliveryThatNobodyFinished) {
  LedgerHistory::Delivery& victim = any();
  expected.lost = {id_of(victim)};
  victim.record =
      LedgerHistory::delivered(victim.record.publisher, victim.record.sequence, Settlement::kNone);
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneDuplicate) {
  LedgerHistory::Delivery again = any();
  expected.duplicated = {id_of(again)};
  again.record.flags = kRedelivered;
  history.deliveries.push_back(again);
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneReordering) {
  // Two neighbours of one publisher on one consumer change places.
  const std::size_t later = 200 + pick(history.deliveries.size() - 200);
  std::size_t earlier = later - 1;
  const auto same = [&](std::size_t other) {
    return history.deliveries[other].consumer == history.deliveries[later].consumer &&
           history.deliveries[other].record.publisher == history.deliveries[later].record.publisher;
  };
  while (!same(earlier)) --earlier;
  expected.order = {{id_of(history.deliveries[earlier]), history.deliveries[later].record.sequence}};
  std::swap(history.deliveries[earlier], history.deliveries[later]);
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OnePhantom) {
  const auto queue = static_cast<std::uint32_t>(pick(kQueues));
  const bool unknown_publisher = pick(2) == 0;
  const std::uint32_t publisher = unknown_publisher ? 99 : 0;
  const std::uint32_t sequence = unknown_publisher ? 0 : kPerPublisher + 5;
  history.deliveries.push_back(
      {queue, queue, LedgerHistory::delivered(publisher, sequence, Settlement::kAcked)});
  expected.unexpected = {{publisher, sequence, queue}};
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneSwappedQueue) {
  // To queue 3, which this message's route does not lead to: it is missing where it should have been. There
  // it comes in the order of all others, so that nothing is out of order.
  LedgerHistory::Delivery& victim = any_of_route(0, 1);
  expected.lost = {id_of(victim)};
  expected.rerouted = 1;
  victim.queue = victim.consumer = 3;
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneKeyThatStrayed) {
  // Not the very first of its key, which would make all others come to another queue than it.
  LedgerHistory::Delivery* victim = &any_of_route(2, 3);
  while (victim->record.sequence < 4) victim = &any_of_route(2, 3);
  victim->queue = victim->consumer = victim->queue == 2 ? 3 : 2;
  expected.stray_keys = {{victim->record.sequence % 4, id_of(*victim)}};
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneNackTurnedIntoAConfirm) {
  for (LedgerHistory::Publish& publish : history.publishes)
    if (publish.publisher == 1 && publish.record.sequence == kNackedSequence)
      publish.record.outcome = kConfirmed;
  expected.lost = {{1, kNackedSequence, 1u}, {1, kNackedSequence, 2u}};  // 77 goes to both queues
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneConfirmTurnedIntoANackOrForgotten) {
  LedgerHistory::Publish& publish = history.publishes[pick(history.publishes.size())];
  if (publish.record.outcome != kConfirmed) return;
  publish.record.outcome = pick(2) == 0 ? kNacked : 0;
  expected.recovered = {{publish.publisher, publish.record.sequence, std::nullopt}};
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneReturnOfAMessageThatArrived) {
  LedgerHistory::Publish& publish = history.publishes[pick(history.publishes.size())];
  if (publish.record.outcome != kConfirmed) return;
  publish.record.outcome |= kReturned;
  expected.laws = {"returned messages that were delivered = 0"};
  EXPECT_EQ(found(), expected);
}

TEST_P(Mutation, OneSequenceNumberUsedTwice) {
  history.publishes.push_back(history.publishes[pick(history.publishes.size())]);
  EXPECT_THAT(found().laws, testing::Contains("sequence numbers published twice = 0"));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Mutation, testing::Range<std::uint64_t>(1, 26));

}  // namespace
}  // namespace brokerlab
