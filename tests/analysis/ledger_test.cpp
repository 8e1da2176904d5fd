#include "analysis/ledger.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "core/random.h"

namespace brokerlab {
namespace {

QueueEvidence queue(std::string name, std::optional<std::int64_t> ready = 0) {
  QueueEvidence evidence;
  evidence.name = std::move(name);
  evidence.ready_at_end = ready;
  return evidence;
}

RouteEvidence to_all(std::vector<std::uint32_t> queues, std::uint32_t key = 0) {
  return {key, RouteDelivery::kAll, std::move(queues)};
}

PublishRecord publish(std::uint32_t sequence, std::uint8_t outcome = kConfirmed, std::uint8_t route = 0) {
  return {.intended_ns = 1,
          .sent_ns = 1,
          .settled_ns = 2,
          .sequence = sequence,
          .publisher = 0,
          .route = route,
          .outcome = outcome};
}

DeliveryRecord delivery(std::uint32_t publisher, std::uint32_t sequence,
                        Settlement settlement = Settlement::kAcked, std::uint8_t flags = 0) {
  DeliveryRecord record{};
  record.intended_ns = record.sent_ns = 1;
  record.received_ns = record.started_ns = 2;
  record.done_ns = settlement == Settlement::kAcked || settlement == Settlement::kAutomatic ? 3 : 0;
  record.settled_ns = settlement == Settlement::kNone ? 0 : 3;
  record.publisher = publisher;
  record.sequence = sequence;
  record.settlement = static_cast<std::uint8_t>(settlement);
  record.flags = flags;
  return record;
}

std::vector<std::string> broken_laws(const LedgerAccount& account) {
  std::vector<std::string> broken;
  for (const LedgerLaw& law : account.laws)
    if (!law.ok) broken.push_back(law.law);
  return broken;
}

// One publisher, `messages` confirmed messages to one queue, each delivered once, in order, to one consumer.
class PerfectHistory : public testing::Test {
 protected:
  PerfectHistory() {
    for (std::uint32_t i = 0; i < kMessages; ++i) {
      publishes.push_back(publish(i));
      deliveries.push_back(delivery(7, i));
    }
  }

  LedgerAccount account() {
    Ledger ledger(queues, drained);
    ledger.declare_publisher(7, {to_all({0})}, {}, true);
    for (const auto& record : publishes) ledger.add_publish(7, record);
    for (const auto& record : deliveries) ledger.add_delivery(record, 0, 0);
    return ledger.finish();
  }

  static constexpr std::uint32_t kMessages = 500;
  std::vector<QueueEvidence> queues{queue("tasks")};
  bool drained = true;
  std::vector<PublishRecord> publishes;
  std::vector<DeliveryRecord> deliveries;
};

TEST_F(PerfectHistory, Balances) {
  const LedgerAccount result = account();
  EXPECT_EQ(result.published, kMessages);
  EXPECT_EQ(result.confirmed, kMessages);
  EXPECT_EQ(result.copies, kMessages);
  EXPECT_EQ(result.deliveries, kMessages);
  EXPECT_EQ(result.unique, kMessages);
  EXPECT_EQ(result.done, kMessages);
  EXPECT_EQ(result.duplicates, 0);
  EXPECT_EQ(result.lost, 0);
  EXPECT_EQ(result.unexpected, 0);
  EXPECT_EQ(result.recovered, 0);
  EXPECT_EQ(result.order_violations, 0);
  EXPECT_FALSE(result.affinity_violations.has_value())
      << "no route is for one of several queues: not measured";
  EXPECT_TRUE(broken_laws(result).empty());
}

TEST_F(PerfectHistory, FindsOneLossExactly) {
  deliveries.erase(deliveries.begin() + 123);
  const LedgerAccount result = account();
  EXPECT_EQ(result.lost, 1);
  ASSERT_EQ(result.lost_ids.size(), 1u);
  EXPECT_EQ(result.lost_ids[0].publisher, 7u);
  EXPECT_EQ(result.lost_ids[0].sequence, 123u);
  EXPECT_EQ(result.lost_ids[0].queue, 0u);
  EXPECT_EQ(result.duplicates + result.unexpected + result.order_violations, 0);
}

TEST_F(PerfectHistory, FindsOneDuplicateExactly) {
  deliveries.push_back(delivery(7, 200, Settlement::kAcked, kRedelivered));
  const LedgerAccount result = account();
  EXPECT_EQ(result.duplicates, 1);
  EXPECT_EQ(result.done_again, 1);
  EXPECT_EQ(result.redelivered_flag, 1);
  EXPECT_EQ(result.unique, kMessages);
  EXPECT_EQ(*result.lost + result.unexpected + result.order_violations, 0);
}

TEST_F(PerfectHistory, FindsOneReorderingExactly) {
  std::swap(deliveries[300], deliveries[301]);
  const LedgerAccount result = account();
  EXPECT_EQ(result.order_violations, 1);
  EXPECT_EQ(*result.lost + result.unexpected + result.duplicates, 0);
}

TEST_F(PerfectHistory, DoesNotCallARedeliveryOutOfOrder) {
  deliveries[10].settlement = static_cast<std::uint8_t>(Settlement::kRequeued);
  deliveries[10].done_ns = 0;
  deliveries.push_back(delivery(7, 10, Settlement::kAcked, kRedelivered));
  const LedgerAccount result = account();
  EXPECT_EQ(result.order_violations, 0);
  EXPECT_EQ(result.requeued, 1);
  EXPECT_EQ(result.duplicates, 1);
  EXPECT_EQ(result.done_again, 0) << "the first delivery was handed back";
  EXPECT_EQ(result.lost, 0);
}

TEST_F(PerfectHistory, FindsOnePhantomExactly) {
  deliveries.push_back(delivery(7, kMessages + 5));
  deliveries.push_back(delivery(7, kMessages + 5, Settlement::kAcked, kRedelivered));
  deliveries.push_back(delivery(99, 0));
  const LedgerAccount result = account();
  EXPECT_EQ(result.unexpected, 2) << "messages, not deliveries";
  EXPECT_EQ(result.deliveries, kMessages);
  EXPECT_EQ(*result.lost + result.duplicates + result.order_violations, 0);
}

TEST_F(PerfectHistory, KeepsForeignMessagesApart) {
  deliveries.push_back(delivery(7, 3, Settlement::kAcked, kForeignRun));
  deliveries.push_back(delivery(0, 0, Settlement::kAcked, kUnstamped));
  const LedgerAccount result = account();
  EXPECT_EQ(result.foreign, 2);
  EXPECT_EQ(result.duplicates + result.unexpected, 0);
}

TEST_F(PerfectHistory, WhatIsStillInTheQueueIsNotLost) {
  deliveries.resize(kMessages - 20);
  queues[0].ready_at_end = 18;
  const LedgerAccount result = account();
  EXPECT_EQ(result.lost, 2);
  EXPECT_TRUE(result.lost_ids.empty()) << "which two of the twenty cannot be told";
}

TEST_F(PerfectHistory, WithoutADrainNothingIsCalledLost) {
  deliveries.resize(kMessages - 20);
  queues[0].ready_at_end.reset();
  drained = false;
  const LedgerAccount result = account();
  EXPECT_FALSE(result.lost.has_value());
  EXPECT_EQ(result.outstanding, 20);
}

TEST_F(PerfectHistory, AutomaticAcknowledgementWithoutWorkIsALoss) {
  for (std::uint32_t i = 20; i < kMessages; ++i) {
    deliveries[i].settlement = static_cast<std::uint8_t>(Settlement::kAutomatic);
    deliveries[i].done_ns = 0;
  }
  const LedgerAccount result = account();
  EXPECT_EQ(result.unique, kMessages);
  EXPECT_EQ(result.done, 20);
  EXPECT_EQ(result.lost, kMessages - 20);
}

TEST_F(PerfectHistory, UndecidedMessagesAreNeitherLostNorForgotten) {
  publishes[5].outcome = 0;
  publishes[6].outcome = 0;
  publishes[7].outcome = kNacked;
  deliveries.erase(deliveries.begin() + 6);
  const LedgerAccount result = account();
  EXPECT_EQ(result.unknown, 2);
  EXPECT_EQ(result.nacked, 1);
  EXPECT_EQ(result.recovered, 2) << "5 and 7 arrived though nobody promised it";
  EXPECT_EQ(result.lost, 0);
}

TEST_F(PerfectHistory, WithoutConfirmsNothingWasPromised) {
  for (auto& record : publishes) record.outcome = kUnconfirmedByDesign;
  deliveries.pop_back();
  const LedgerAccount result = account();
  EXPECT_EQ(result.unconfirmed_by_design, kMessages);
  EXPECT_EQ(result.missing_unconfirmed, 1);
  EXPECT_EQ(result.lost, 0);
  EXPECT_EQ(result.recovered, 0);
}

TEST_F(PerfectHistory, AQueueThatHoldsMoreThanWasSentDoesNotBalance) {
  queues[0].ready_at_end = 1;
  EXPECT_EQ(broken_laws(account()).size(), 1u);
}

TEST_F(PerfectHistory, ASequenceNumberPublishedTwiceDoesNotBalance) {
  publishes.push_back(publish(3));
  EXPECT_EQ(broken_laws(account()).size(), 2u);
}

TEST_F(PerfectHistory, AReturnedMessageThatArrivedDoesNotBalance) {
  publishes[3].outcome = kConfirmed | kReturned;
  EXPECT_EQ(broken_laws(account()).size(), 1u);
}

TEST(Ledger, UnroutableMessagesAreConfirmedAndReturned) {
  Ledger ledger({queue("tasks")}, true);
  ledger.declare_publisher(0, {to_all({})}, {}, true);
  for (std::uint32_t i = 0; i < 10; ++i) ledger.add_publish(0, publish(i, kConfirmed | kReturned));
  const LedgerAccount result = ledger.finish();
  EXPECT_EQ(result.confirmed, 10);
  EXPECT_EQ(result.returned, 10);
  EXPECT_EQ(result.copies, 0);
  EXPECT_EQ(result.lost, 0);
  EXPECT_TRUE(broken_laws(result).empty());
}

TEST(Ledger, WithoutMandatoryUnroutableMessagesHideAmongTheConfirmed) {
  Ledger ledger({queue("tasks")}, true);
  ledger.declare_publisher(0, {to_all({})}, {}, false);
  for (std::uint32_t i = 0; i < 10; ++i) ledger.add_publish(0, publish(i));
  const LedgerAccount result = ledger.finish();
  EXPECT_EQ(result.confirmed, 10);
  EXPECT_EQ(result.returned, 0);
  EXPECT_EQ(result.dropped_silently, 10) << "the routes tell it all the same";
  EXPECT_EQ(result.lost, 0);
}

TEST(Ledger, AFanoutMakesACopyForEachQueue) {
  constexpr std::uint32_t kQueues = 3, kMessages = 50;
  Ledger ledger({queue("a"), queue("b"), queue("c")}, true);
  ledger.declare_publisher(0, {to_all({0, 1, 2})}, {}, true);
  for (std::uint32_t i = 0; i < kMessages; ++i) ledger.add_publish(0, publish(i));
  for (std::uint32_t q = 0; q < kQueues; ++q)
    for (std::uint32_t i = 0; i < kMessages; ++i)
      if (q != 1 || i != 17) ledger.add_delivery(delivery(0, i), q, q);
  const LedgerAccount result = ledger.finish();
  EXPECT_EQ(result.copies, kQueues * kMessages);
  EXPECT_EQ(result.deliveries, kQueues * kMessages - 1);
  EXPECT_EQ(result.lost, 1);
  EXPECT_EQ(result.queues[1].lost, 1);
  EXPECT_EQ(result.lost_ids[0].queue, 1u);
}

class OneOf : public testing::Test {
 protected:
  OneOf() : ledger({queue("a"), queue("b")}, true) {
    RouteEvidence first = to_all({0, 1}, 0), second = to_all({0, 1}, 1);
    first.delivery = second.delivery = RouteDelivery::kOneOf;
    ledger.declare_publisher(0, {first, second}, {}, true);
    for (std::uint32_t i = 0; i < 10; ++i) ledger.add_publish(0, publish(i, kConfirmed, i % 2));
  }
  Ledger ledger;
};

TEST_F(OneOf, ExpectsEachMessageOnce) {
  for (std::uint32_t i = 0; i < 10; ++i) ledger.add_delivery(delivery(0, i), i % 2, i % 2);
  const LedgerAccount result = ledger.finish();
  EXPECT_EQ(result.copies, 10);
  EXPECT_EQ(result.lost, 0);
  EXPECT_EQ(result.affinity_violations, 0);
  EXPECT_TRUE(broken_laws(result).empty());
}

TEST_F(OneOf, FindsALossWhicheverQueueItWasFor) {
  for (std::uint32_t i = 0; i < 9; ++i) ledger.add_delivery(delivery(0, i), i % 2, i % 2);
  const LedgerAccount result = ledger.finish();
  EXPECT_EQ(result.lost, 1);
  ASSERT_EQ(result.lost_ids.size(), 1u);
  EXPECT_EQ(result.lost_ids[0].sequence, 9u);
  EXPECT_FALSE(result.lost_ids[0].queue.has_value());
}

TEST_F(OneOf, CountsKeysThatWanderAndSecondCopies) {
  for (std::uint32_t i = 0; i < 10; ++i) ledger.add_delivery(delivery(0, i), 0, i == 8 ? 1 : i % 2);
  EXPECT_EQ(ledger.finish().affinity_violations, 1) << "key 0 was seen on both queues";
  ledger.add_delivery(delivery(0, 3), 0, 0);
  EXPECT_EQ(broken_laws(ledger.finish()).size(), 1u) << "message 3 is now on both queues";
}

TEST(Ledger, OfUnlistedKeysItKnowsThatTheyMustBeSomewhere) {
  Ledger ledger({queue("a"), queue("b")}, true);
  ledger.declare_publisher(0, {}, {}, true);
  for (std::uint32_t i = 0; i < 10; ++i) ledger.add_publish(0, publish(i, kConfirmed, kRouteUnlisted));
  for (std::uint32_t i = 0; i < 9; ++i) ledger.add_delivery(delivery(0, i), 0, i % 2);
  const LedgerAccount result = ledger.finish();
  EXPECT_EQ(result.unlisted, 10);
  EXPECT_EQ(result.lost, 1);
}

TEST(Ledger, ADeadLetteredMessageIsNeitherLostNorUnexpected) {
  Ledger ledger({queue("tasks"), queue("dead")}, true);
  ledger.declare_publisher(0, {to_all({0})}, {}, true);
  ledger.add_publish(0, publish(0));
  ledger.add_delivery(delivery(0, 0, Settlement::kRejected), 0, 0);
  ledger.add_delivery(delivery(0, 0), 1, 1);
  const LedgerAccount result = ledger.finish();
  EXPECT_EQ(result.lost, 0);
  EXPECT_EQ(result.unexpected, 0);
  EXPECT_EQ(result.rerouted, 1);
  EXPECT_EQ(result.rejected, 1);
}

// A killed worker: 20 acknowledged, the 21st in work, the rest unacknowledged and delivered again to another.
TEST(Ledger, KillingAWorkerWithManualAcknowledgementLosesNothing) {
  Ledger ledger({queue("tasks")}, true);
  ledger.declare_publisher(0, {to_all({0})}, {}, true);
  for (std::uint32_t i = 0; i < 100; ++i) ledger.add_publish(0, publish(i));
  for (std::uint32_t i = 0; i < 100; ++i)
    ledger.add_delivery(delivery(0, i, i < 20 ? Settlement::kAcked : Settlement::kNone), 0, 0);
  for (std::uint32_t i = 20; i < 100; ++i)
    ledger.add_delivery(delivery(0, i, Settlement::kAcked, kRedelivered), 1, 0);
  const LedgerAccount result = ledger.finish();
  EXPECT_EQ(result.lost, 0);
  EXPECT_EQ(result.redelivered_flag, 80);
  EXPECT_EQ(result.duplicates, 80);
  EXPECT_EQ(result.done, 100);
  EXPECT_EQ(result.done_again, 0);
}

// The same account by sets and counts, slow and plain.
struct Reference {
  std::set<std::pair<int, std::uint32_t>> seen, done, phantoms;
  std::int64_t duplicates = 0, done_again = 0, order = 0, lost = 0, recovered = 0;
  std::map<int, std::uint32_t> last;
};

TEST(Ledger, AgreesWithASlowReferenceOnRandomHistories) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    const std::uint32_t messages = 1 + static_cast<std::uint32_t>(random.below(300));
    const int queues = 1 + static_cast<int>(random.below(3));
    std::vector<QueueEvidence> ends;
    std::vector<std::uint32_t> all;
    for (int q = 0; q < queues; ++q) {
      ends.push_back(queue("q" + std::to_string(q)));
      all.push_back(static_cast<std::uint32_t>(q));
    }
    Ledger ledger(ends, true);
    ledger.declare_publisher(4, {to_all(all)}, {}, true);
    Reference reference;
    std::vector<std::uint8_t> outcomes;
    for (std::uint32_t i = 0; i < messages; ++i) {
      const std::uint8_t choice[] = {kConfirmed, kConfirmed, kConfirmed, kNacked, 0};
      outcomes.push_back(choice[random.below(5)]);
      ledger.add_publish(4, publish(i, outcomes.back()));
    }
    const std::uint64_t deliveries = random.below(3 * messages * static_cast<std::uint64_t>(queues) + 1);
    for (std::uint64_t d = 0; d < deliveries; ++d) {
      const int q = static_cast<int>(random.below(static_cast<std::uint64_t>(queues)));
      const auto sequence = static_cast<std::uint32_t>(random.below(messages + 3));
      const Settlement kinds[] = {Settlement::kAcked, Settlement::kNone, Settlement::kRequeued,
                                  Settlement::kRejected};
      const Settlement kind = kinds[random.below(4)];
      const bool again = random.below(2) == 0;
      ledger.add_delivery(delivery(4, sequence, kind, again ? kRedelivered : 0),
                          static_cast<std::uint32_t>(q), static_cast<std::uint32_t>(q));
      if (sequence >= messages) {
        reference.phantoms.insert({0, sequence});
        continue;
      }
      reference.duplicates += !reference.seen.insert({q, sequence}).second;
      if (kind == Settlement::kAcked || kind == Settlement::kRejected)
        reference.done_again += !reference.done.insert({q, sequence}).second;
      if (again) continue;
      const auto last = reference.last.find(q);
      reference.order += last != reference.last.end() && sequence < last->second;
      reference.last[q] = sequence;
    }
    for (std::uint32_t i = 0; i < messages; ++i) {
      bool anywhere = false;
      for (int q = 0; q < queues; ++q) {
        anywhere = anywhere || reference.seen.count({q, i});
        reference.lost += outcomes[i] == kConfirmed && !reference.done.count({q, i});
      }
      reference.recovered += anywhere && outcomes[i] != kConfirmed;
    }
    const LedgerAccount result = ledger.finish();
    ASSERT_EQ(result.unique, static_cast<std::int64_t>(reference.seen.size())) << "seed " << seed;
    ASSERT_EQ(result.duplicates, reference.duplicates) << "seed " << seed;
    ASSERT_EQ(result.done, static_cast<std::int64_t>(reference.done.size())) << "seed " << seed;
    ASSERT_EQ(result.done_again, reference.done_again) << "seed " << seed;
    ASSERT_EQ(result.order_violations, reference.order) << "seed " << seed;
    ASSERT_EQ(result.unexpected, static_cast<std::int64_t>(reference.phantoms.size())) << "seed " << seed;
    ASSERT_EQ(result.lost, reference.lost) << "seed " << seed;
    ASSERT_EQ(result.recovered, reference.recovered) << "seed " << seed;
    ASSERT_TRUE(broken_laws(result).empty()) << "seed " << seed << ": " << broken_laws(result)[0];
  }
}

}  // namespace
}  // namespace brokerlab
