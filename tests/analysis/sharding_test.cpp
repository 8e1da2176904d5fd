#include "analysis/sharding.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "analysis/chi_square.h"
#include "analysis/summary.h"
#include "core/key_hash.h"
#include "tests/analysis/recorded_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

using testing::DoubleNear;

// The critical values of every table of the distribution, and what a long tail must come to.
TEST(ChiSquare, AgreesWithTheTables) {
  EXPECT_THAT(chi_square_p_value(3.841459, 1), DoubleNear(0.05, 1e-7));
  EXPECT_THAT(chi_square_p_value(5.991465, 2), DoubleNear(0.05, 1e-7));
  EXPECT_THAT(chi_square_p_value(7.814728, 3), DoubleNear(0.05, 1e-7));
  EXPECT_THAT(chi_square_p_value(18.307038, 10), DoubleNear(0.05, 1e-7));
  EXPECT_THAT(chi_square_p_value(24.995790, 15), DoubleNear(0.05, 1e-7));
  EXPECT_THAT(chi_square_p_value(124.342113, 100), DoubleNear(0.05, 1e-7));
  EXPECT_THAT(chi_square_p_value(6.634897, 1), DoubleNear(0.01, 1e-7));
  EXPECT_EQ(chi_square_p_value(0, 3), 1);
  EXPECT_EQ(chi_square_p_value(1e6, 3), 0);
}

TEST(ChiSquare, OfEqualSharesIsNothing) {
  EXPECT_EQ(*chi_square_of_equal(std::vector<double>{5, 5, 5}), 0);
  EXPECT_FALSE(chi_square_of_equal(std::vector<double>{5}));
  EXPECT_FALSE(chi_square_of_equal(std::vector<double>{0, 0}));
}

// Workers with a queue each behind a consistent hash.
class Sharding : public RecordedFixture {
 protected:
  void members(int count) {
    Json queues = Json::array();
    evidence["queues"] = Json::array();
    evidence["loads"][0]["publish"] = {{"exchange", "shop"}};
    for (int i = 0; i < count; ++i) {
      queues.push_back(queue(i));
      evidence["queues"].push_back(
          {{"name", queue(i)}, {"consumed", true}, {"ready_at_end", 0}, {"unacked_at_end", 0}});
    }
    evidence["routes"] = {
        {{"exchange", "shop"}, {"routing_key", nullptr}, {"queues", queues}, {"delivery", "one_of"}}};
    emitter_ = &load();
    for (int i = 0; i < count; ++i)
      workers_.push_back(
          &role("worker-" + std::to_string(i), static_cast<std::uint32_t>(i), "worker", queue(i)));
  }
  static std::string queue(int worker) { return "queue-" + std::to_string(worker); }

  // A message of that key, due at that time and received `later`, by that worker.
  void message(const std::string& key, int worker, Nanoseconds at, Nanoseconds later = kMs) {
    publish(*emitter_, next_, at, kConfirmed, 1000, kRouteUnlisted);
    RecordingWriter& writer = *workers_[static_cast<std::size_t>(worker)];
    deliver(writer, next_, at, at + later);
    writer.append_detail({0, 0, DeliveryDetail::kNoOrigin, 0, key_hash(key)});
    ++next_;
  }

  void change(const char* what, int worker, Nanoseconds at, int before) {
    Json present = Json::array();
    for (int i = 0; i < before; ++i) present.push_back(queue(i));
    evidence["membership"].push_back({{"exchange", "shop"},
                                      {"queue", queue(worker)},
                                      {"change", what},
                                      {"scheduled_at_ns", at},
                                      {"at_ns", kStart + at + kMs},
                                      {"members_before", present}});
  }

  Json summary() {
    close();
    Json run = summarise(evidence, folder);
    EXPECT_EQ(run_schema_errors(run), "");
    return run;
  }

  RecordingWriter* emitter_ = nullptr;
  std::vector<RecordingWriter*> workers_;
  std::uint32_t next_ = 0;
};

// The known answer F2: key-0 to key-9999 over four queues, as RabbitMQ spreads them. Every key comes twice.
TEST_F(Sharding, SpreadIsTakenOverDistinctKeys) {
  members(4);
  const int counts[] = {2449, 2534, 2537, 2480};
  int key = 0;
  for (int worker = 0; worker < 4; ++worker) {
    for (int i = 0; i < counts[worker]; ++i, ++key) {
      message("key-" + std::to_string(key), worker, key * 1000);
      message("key-" + std::to_string(key), worker, key * 1000 + 20 * kMs);
    }
  }
  const Json run = summary();
  const Json& sharding = run.at("sharding");
  EXPECT_EQ(sharding.at("exchange"), "shop");
  EXPECT_EQ(sharding.at("keys"), 10000);
  EXPECT_THAT(sharding.at("chi_square").get<double>(), DoubleNear(2.2104, 1e-9));
  EXPECT_EQ(sharding.at("df"), 3);
  EXPECT_THAT(sharding.at("p_value").get<double>(), DoubleNear(0.53, 0.001));
  EXPECT_EQ(sharding.at("queues")[2], Json({{"queue", "queue-2"}, {"keys", 2537}, {"messages", 5074}}));
  EXPECT_EQ(sharding.at("affinity_violations"), 0);
  EXPECT_EQ(state(run, "AFFINITY_VIOLATION"), "pass");
  EXPECT_EQ(sharding.at("epochs").size(), 1U);
  EXPECT_TRUE(sharding.at("changes").empty());
  EXPECT_FALSE(sharding.contains("unplaced"));
}

TEST_F(Sharding, AQueueThatGotNothingCounts) {
  members(2);
  for (int i = 0; i < 10; ++i) message("key-" + std::to_string(i), 0, i * kMs);
  const Json run = summary();
  EXPECT_EQ(run.at("sharding").at("chi_square"), 10.0);
  EXPECT_EQ(run.at("sharding").at("queues")[1].at("keys"), 0);
}

// The known answer F4: the first bound of four queues leaves, and 11 of 12 keys move.
TEST_F(Sharding, WhatALeavingQueueMoves) {
  members(4);
  for (int key = 0; key < 12; ++key) message(std::to_string(key), key / 3, key * kMs);
  change("leave", 0, 100 * kMs, 4);
  const int after[] = {1, 2, 3, 1, 2, 3, 3, 1, 3, 1, 2, 1};  // key 3 alone stays
  for (int key = 0; key < 12; ++key) message(std::to_string(key), after[key], (200 + key) * kMs);
  message("only after", 1, 300 * kMs);
  const Json run = summary();
  const Json& change = run.at("sharding").at("changes")[0];
  EXPECT_EQ(change.at("change"), "leave");
  EXPECT_EQ(change.at("keys_compared"), 12);
  EXPECT_EQ(change.at("moved"), 11);
  EXPECT_EQ(change.at("stranded"), 11);
  EXPECT_THAT(change.at("moved_share").get<double>(), DoubleNear(0.9167, 1e-4));
  EXPECT_THAT(change.at("formula").get<double>(), DoubleNear(0.9167, 1e-4));
  EXPECT_EQ(change.at("ideal"), 0.25);
  EXPECT_EQ(run.at("sharding").at("affinity_violations"), 0) << "moving across a change is no violation";
  EXPECT_EQ(state(run, "AFFINITY_VIOLATION"), "pass");
  EXPECT_EQ(run.at("ledger").at("affinity_violations"), 0);
  const Json& epochs = run.at("sharding").at("epochs");
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_EQ(epochs[0].at("df"), 3);
  EXPECT_EQ(epochs[1].at("df"), 2) << "the queue that left is no member any more";
  EXPECT_EQ(epochs[1].at("keys"), 13);
}

TEST_F(Sharding, WhatALastAndAJoiningQueueMove) {
  members(5);
  for (int key = 0; key < 20; ++key) message(std::to_string(key), key % 4, key * kMs);
  change("join", 4, 100 * kMs, 4);
  for (int key = 0; key < 20; ++key) message(std::to_string(key), key < 4 ? 4 : key % 4, (200 + key) * kMs);
  change("leave", 4, 400 * kMs, 5);
  for (int key = 0; key < 20; ++key) message(std::to_string(key), key % 4, (500 + key) * kMs);
  const Json run = summary();
  const Json& changes = run.at("sharding").at("changes");
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].at("moved_share"), 0.2);
  EXPECT_EQ(changes[0].at("formula"), 0.2);
  EXPECT_EQ(changes[0].at("ideal"), 0.2);
  EXPECT_EQ(changes[1].at("moved_share"), 0.2);
  EXPECT_EQ(changes[1].at("formula"), 0.2) << "the last bound of five";
}

TEST_F(Sharding, AKeyOnTwoQueuesBetweenChangesIsAViolation) {
  members(2);
  message("stays", 0, 0);
  message("stays", 0, 10 * kMs);
  message("strays", 0, 0);
  message("strays", 1, 10 * kMs);
  message("strays", 0, 20 * kMs);
  const Json run = summary();
  EXPECT_EQ(run.at("sharding").at("affinity_violations"), 1) << "a key counts once";
  const Json& keys = run.at("ledger").at("affinity_violation_keys");
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].at("queues"), Json({queue(0), queue(1)}));
  EXPECT_EQ(keys[0].at("sequence"), 3) << "the message that showed it";
  EXPECT_EQ(keys[0].at("key_hash"), fmt::format("{:016x}", key_hash("strays")))
      << "all that a recording knows";
  EXPECT_EQ(state(run, "AFFINITY_VIOLATION"), "fail");
}

// One message of many is put on another queue: it and its key are found, by name where the plan lists the
// key.
TEST_F(Sharding, OneMessageAstrayIsFoundWithItsKeyAndNothingElse) {
  members(3);
  evidence["routes"].push_back({{"exchange", "shop"},
                                {"routing_key", "key-7"},
                                {"queues", {queue(0), queue(1), queue(2)}},
                                {"delivery", "one_of"}});
  constexpr int kAstray = 147;  // of key-7, which belongs to worker 1
  for (int i = 0; i < 200; ++i) {
    const int key = i % 20;
    message("key-" + std::to_string(key), i == kAstray ? 2 : key % 3, i * kMs);
  }
  const Json run = summary();
  EXPECT_EQ(run.at("ledger").at("affinity_violations"), 1);
  EXPECT_EQ(run.at("ledger").at("affinity_violation_keys"), Json::array({{{"exchange", "shop"},
                                                                          {"routing_key", "key-7"},
                                                                          {"queues", {queue(1), queue(2)}},
                                                                          {"publisher", 0},
                                                                          {"sequence", kAstray}}}));
}

TEST_F(Sharding, AKeyThatMovesAcrossAChangeIsNotListed) {
  members(2);
  message("moves", 0, 0);
  change("join", 1, 100 * kMs, 1);
  message("moves", 1, 200 * kMs);
  EXPECT_FALSE(summary().at("ledger").contains("affinity_violation_keys"));
}

TEST_F(Sharding, MessagesOnTheirWayDuringAChangeBelongToNeitherSide) {
  members(2);
  message("a", 0, 0);
  change("join", 1, 100 * kMs, 1);
  message("a", 1, 99 * kMs, 3 * kMs);   // sent before, received after
  message("b", 0, 100 * kMs, kMs / 2);  // sent after it was asked for, before it was done
  message("a", 1, 150 * kMs);
  message("c", 0, 10 * kMs);
  message("c", 1, 98 * kMs, 5 * kMs);  // on another queue than before: it was routed after the change
  const Json run = summary();
  EXPECT_EQ(run.at("sharding").at("unplaced"), 3);
  EXPECT_EQ(run.at("sharding").at("changes")[0].at("keys_compared"), 1);
  EXPECT_EQ(run.at("sharding").at("changes")[0].at("stranded"), 2);
  EXPECT_EQ(run.at("sharding").at("affinity_violations"), 0);
  EXPECT_EQ(run.at("sharding").at("changes")[0].at("moved"), 1);
}

// A pick up before the change, nothing for a while, and the purchase after the next change.
TEST_F(Sharding, StrandedPairsMayLieFurtherApart) {
  members(3);
  message("a", 0, 0);
  change("join", 1, 100 * kMs, 1);
  message("b", 1, 150 * kMs);
  change("join", 2, 200 * kMs, 2);
  message("a", 2, 300 * kMs);
  const Json run = summary();
  const Json& changes = run.at("sharding").at("changes");
  EXPECT_EQ(changes[0].at("stranded"), 0);
  EXPECT_EQ(changes[1].at("stranded"), 1);
  EXPECT_EQ(changes[1].at("keys_compared"), 0);
  EXPECT_FALSE(changes[1].contains("moved_share")) << "no key was seen on both sides";
}

TEST_F(Sharding, WithoutRecordedKeysNothingIsClaimed) {
  members(2);
  publish(*emitter_, 0, 0, kConfirmed, 1000, kRouteUnlisted);
  deliver(*workers_[0], 0, 0, kMs);
  const Json run = summary();
  EXPECT_FALSE(run.contains("sharding"));
  EXPECT_EQ(state(run, "AFFINITY_VIOLATION"), "unmeasured");
}

}  // namespace
}  // namespace brokerlab
