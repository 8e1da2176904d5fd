#include "analysis/ledger.h"

#include <gmock/gmock.h>

#include <optional>

#include "core/key_hash.h"

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

TEST_F(PerfectHistory, TellsWhichBodiesWereAltered) {
  EXPECT_EQ(account().verified, std::nullopt) << "nothing was compared";
  for (DeliveryRecord& record : deliveries) record.flags |= kVerified;
  EXPECT_EQ(account().corrupted, 0);
  deliveries[3].flags |= kCorrupted;
  deliveries[9].flags = kVerified | kCorrupted | kForeignRun;
  const LedgerAccount result = account();
  EXPECT_EQ(result.verified, kMessages - 1) << "messages of others are not counted";
  EXPECT_EQ(result.corrupted, 1);
  ASSERT_EQ(result.corrupted_ids.size(), 1U);
  EXPECT_EQ(result.corrupted_ids[0].publisher, 7U);
  EXPECT_EQ(result.corrupted_ids[0].sequence, 3U);
  EXPECT_EQ(result.corrupted_ids[0].queue, 0U);
}

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

// Queue 0 hands its dead letters to queue 1, both are empty at the end.
class DeadLetters : public testing::Test {
 protected:
  DeadLetters() {
    queues[0].dead_letter_queues = {1};
    queues[1].dead_letter_queues.emplace();
  }
  Ledger& start(std::uint32_t messages) {
    ledger.emplace(queues, true);
    ledger->declare_publisher(0, {to_all({0})}, {}, true);
    for (std::uint32_t i = 0; i < messages; ++i) ledger->add_publish(0, publish(i));
    return *ledger;
  }
  static DeliveryRecord dead(std::uint32_t sequence, DeathReason reason, const char* queue = "tasks") {
    DeliveryRecord record = delivery(0, sequence);
    record.death = static_cast<std::uint8_t>(reason);
    record.deaths = 1;
    record.death_queue = queue_hash(queue);
    return record;
  }
  static std::int64_t count(const LedgerAccount& account, DeathReason reason) {
    return account.dead_letters[static_cast<std::size_t>(reason)];
  }

  std::vector<QueueEvidence> queues{queue("tasks"), queue("dead")};
  std::optional<Ledger> ledger;
};

TEST_F(DeadLetters, AreCountedByReasonAndNotLost) {
  start(4);
  ledger->add_delivery(delivery(0, 0, Settlement::kRejected), 0, 0);
  ledger->add_delivery(dead(0, DeathReason::kRejected), 1, 1);
  ledger->add_delivery(dead(1, DeathReason::kExpired), 1, 1);
  ledger->add_delivery(dead(2, DeathReason::kMaxLength), 1, 1);
  ledger->add_delivery(delivery(0, 3), 0, 0);
  const LedgerAccount result = ledger->finish();
  EXPECT_EQ(result.lost, 0);
  EXPECT_EQ(result.dead_lettered(), 3);
  EXPECT_EQ(count(result, DeathReason::kRejected), 1);
  EXPECT_EQ(count(result, DeathReason::kExpired), 1);
  EXPECT_EQ(count(result, DeathReason::kMaxLength), 1);
  EXPECT_EQ(result.queues[0].dead_lettered, 3);
  EXPECT_EQ(result.queues[1].moved_in, 3);
  EXPECT_EQ(result.order_violations, 0);
  EXPECT_TRUE(broken_laws(result).empty());
}

TEST_F(DeadLetters, ARejectedMessageThatComesOutNowhereIsLost) {
  start(2);
  for (std::uint32_t i = 0; i < 2; ++i) ledger->add_delivery(delivery(0, i, Settlement::kRejected), 0, 0);
  ledger->add_delivery(dead(0, DeathReason::kRejected), 1, 1);
  const LedgerAccount result = ledger->finish();
  EXPECT_EQ(result.lost, 1);
  ASSERT_EQ(result.lost_ids.size(), 1u);
  EXPECT_EQ(result.lost_ids[0].sequence, 1u);
}

TEST_F(DeadLetters, ThatNobodyTookStillLieInTheirQueue) {
  queues[1].consumed = false;
  queues[1].ready_at_end = 3;
  start(4);
  ledger->add_delivery(delivery(0, 0, Settlement::kRejected), 0, 0);
  ledger->add_delivery(delivery(0, 3), 0, 0);
  LedgerAccount result = ledger->finish();
  EXPECT_EQ(result.lost, 0) << "one rejected, two expired, three left";
  EXPECT_TRUE(broken_laws(result).empty());
  queues[1].ready_at_end = 2;
  start(4);
  ledger->add_delivery(delivery(0, 0, Settlement::kRejected), 0, 0);
  ledger->add_delivery(delivery(0, 3), 0, 0);
  EXPECT_EQ(ledger->finish().lost, 1);
}

TEST_F(DeadLetters, ADeadLetterThatItsOwnConsumerNeverFinishedIsLost) {
  start(1);
  ledger->add_delivery(delivery(0, 0, Settlement::kRejected), 0, 0);
  DeliveryRecord record = dead(0, DeathReason::kRejected);
  record.settlement = static_cast<std::uint8_t>(Settlement::kNone);
  record.done_ns = 0;
  ledger->add_delivery(record, 1, 1);
  EXPECT_EQ(ledger->finish().lost, 1);
}

TEST_F(DeadLetters, MoreRejectedOnesThanRejectionsDoNotBalance) {
  start(1);
  ledger->add_delivery(delivery(0, 0), 0, 0);
  ledger->add_delivery(dead(0, DeathReason::kRejected), 1, 1);
  EXPECT_EQ(broken_laws(ledger->finish()).size(), 1u);
}

TEST_F(DeadLetters, FromAQueueOfNobodyKnowsWhoseAreCountedApart) {
  start(1);
  ledger->add_delivery(dead(0, DeathReason::kExpired, "elsewhere"), 0, 0);
  const LedgerAccount result = ledger->finish();
  EXPECT_EQ(result.dead_letters_from_elsewhere, 1);
  EXPECT_EQ(result.dead_lettered(), 0);
  EXPECT_EQ(result.lost, 0);
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

}  // namespace
}  // namespace brokerlab
