#include <signal.h>

#include <algorithm>
#include <set>

#include "core/key_hash.h"
#include "tests/roles/live/live_run.h"

namespace brokerlab {
namespace {

std::set<std::uint32_t> sequences(const std::vector<DeliveryRecord>& records) {
  std::set<std::uint32_t> found;
  for (const DeliveryRecord& record : records) found.insert(record.sequence);
  return found;
}

class RoleChildren : public LiveRun {};

TEST_F(RoleChildren, EveryMessageIsSentConfirmedReceivedAndAcknowledgedOnce) {
  Json spec = role_spec({{"prefetch", 10}});
  spec["instances"] = 2;
  const Json role = run_.role(spec);
  ChildUnderTest workers(role);
  workers.wait_for("ready");
  const std::vector<PublishRecord> published = publish_all(load_spec(1000, 1000));
  workers.wait_for_progress("done", 1000);
  workers.stop();

  ASSERT_EQ(published.size(), 1000U);
  EXPECT_EQ(with_outcome(published, kConfirmed), 1000U);
  double late_ns = 0;
  for (std::size_t i = 0; i < published.size(); ++i) {
    EXPECT_EQ(published[i].sequence, i);
    EXPECT_EQ(published[i].intended_ns - published[0].intended_ns, static_cast<Nanoseconds>(i) * 1'000'000);
    EXPECT_GE(published[i].sent_ns, published[i].intended_ns);
    EXPECT_GE(published[i].written_ns, published[i].sent_ns);
    EXPECT_GT(published[i].settled_ns, published[i].written_ns);
    late_ns += static_cast<double>(published[i].sent_ns - published[i].intended_ns) / 1000;
  }
  printf("mean pacing lateness at 1000/s: %.0f us\n", late_ns / 1000);

  const std::vector<DeliveryRecord> received = deliveries(role);
  EXPECT_EQ(received.size(), 1000U);
  EXPECT_EQ(sequences(received).size(), 1000U);
  for (const DeliveryRecord& record : received) {
    EXPECT_EQ(record.intended_ns, published[record.sequence].intended_ns);
    EXPECT_EQ(record.sent_ns, published[record.sequence].sent_ns);
    EXPECT_EQ(record.settlement, static_cast<std::uint8_t>(Settlement::kAcked));
    EXPECT_GE(record.settled_ns, record.received_ns);
    EXPECT_EQ(record.flags, 0);
    EXPECT_EQ(record.body_bytes, 100U);
  }
  for (const std::uint16_t consumer : {0, 1}) {
    EXPECT_GT(std::count_if(received.begin(), received.end(),
                            [&](const auto& r) { return r.consumer == consumer; }),
              0);
  }
  EXPECT_TRUE(run_.recording(role).complete());
  EXPECT_EQ(run_.recording(role).counters().messages_in, 1000);
  EXPECT_EQ(events(role, EventKind::kConsuming).size(), 2U);
  EXPECT_EQ(ready_messages(), 0U);
}

TEST_F(RoleChildren, AKilledWorkerLeavesAReadableRecording) {
  publish_all(load_spec(100, 1000));
  Json spec = role_spec({{"prefetch", 5}});
  spec["effort"] = {{"kind", "sleep"}, {"seconds", "20ms"}};
  const Json assignment = run_.role(spec);
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  worker.wait_for_progress("done", 5);
  worker.kill(SIGKILL);
  EXPECT_EQ(worker.wait_for_end(), -SIGKILL);
  EXPECT_FALSE(run_.recording(assignment).complete());
  const std::vector<DeliveryRecord> received = deliveries(assignment);
  const auto acked =
      static_cast<std::uint32_t>(std::count_if(received.begin(), received.end(), [](const auto& record) {
        return record.settlement == static_cast<std::uint8_t>(Settlement::kAcked);
      }));
  EXPECT_GE(acked, 5U);
  EXPECT_GE(received.size(), acked);
  EXPECT_LE(received.size(), acked + 5);
  // Everything else is with the broker again, at the latest when it has noticed the death.
  Json rest = role_spec();
  rest["role"] = "heir";
  const Json heir_assignment = run_.role(rest);
  ChildUnderTest heir(heir_assignment);
  heir.wait_for("ready");
  heir.wait_for_progress("done", 100 - acked);
  heir.stop();
  // An acknowledgement may die in the buffer: it is recorded when it is written, and leaves at the end of the
  // turn.
  EXPECT_GE(deliveries(heir_assignment).size(), 100U - acked);
  EXPECT_LE(deliveries(heir_assignment).size(), 101U - acked);
}

TEST_F(RoleChildren, TheEndOfTheInputIsTheEndOfTheProcess) {
  ChildUnderTest worker(run_.role(role_spec()));
  ChildUnderTest load(run_.load(load_spec(100'000, 1000)));
  worker.wait_for("ready");
  load.wait_for("ready");
  start(load);
  worker.wait_for_progress("received", 10);
  const Nanoseconds closed_at = clock_.now();
  load.end_input();
  EXPECT_EQ(load.wait_for_end(), 1);
  worker.end_input();
  EXPECT_EQ(worker.wait_for_end(), 1);
  printf("both had ended %.1f ms after the end of their input\n",
         static_cast<double>(clock_.now() - closed_at) / 1e6);
}

TEST_F(RoleChildren, StopFinishesWhatIsInHandAndNoMore) {
  publish_all(load_spec(200, 2000));
  Json spec = role_spec({{"prefetch", 10}});
  spec["effort"] = {{"kind", "sleep"}, {"seconds", "5ms"}};
  const Json assignment = run_.role(spec);
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  worker.wait_for_progress("done", 3);
  worker.stop();
  const std::vector<DeliveryRecord> received = deliveries(assignment);
  EXPECT_LT(received.size(), 200U);
  Nanoseconds free_at = 0;
  for (const DeliveryRecord& record : received) {
    EXPECT_EQ(record.settlement, static_cast<std::uint8_t>(Settlement::kAcked));
    EXPECT_GE(record.done_ns - record.started_ns, 5'000'000);
    EXPECT_GE(record.started_ns, free_at);  // one at a time
    free_at = record.done_ns;
  }
  EXPECT_EQ(ready_messages(), 200U - received.size());
}

TEST_F(RoleChildren, SpinningWorkersComputeSideBySideAndStayConnected) {
  publish_all(load_spec(20, 2000));
  Json spec = role_spec({{"prefetch", 1}});
  spec["instances"] = 3;
  spec["effort"] = {{"kind", "spin"}, {"seconds", {{"distribution", "cycle"}, {"values", {"18ms", "2ms"}}}}};
  const Json assignment = run_.role(spec);
  ChildUnderTest workers(assignment);
  workers.wait_for("ready");
  workers.wait_for_progress("done", 20);
  workers.stop();
  for (const DeliveryRecord& record : deliveries(assignment)) {
    EXPECT_GE(record.done_ns - record.started_ns, record.sequence % 2 == 0 ? 18'000'000 : 2'000'000);
  }
}

TEST_F(RoleChildren, AcknowledgesInBatchesAndTheRestWhenIdle) {
  publish_all(load_spec(250, 5000));
  const Json assignment = run_.role(role_spec({{"ack", "multiple(100)"}}));
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  worker.wait_for_progress("done", 250);
  worker.stop();
  std::set<Nanoseconds> written;
  for (const DeliveryRecord& record : deliveries(assignment)) {
    EXPECT_EQ(record.settlement, static_cast<std::uint8_t>(Settlement::kAcked));
  }
  EXPECT_EQ(ready_messages(), 0U);
  // Frames out: channel, prefetch, consume, cancel and good-byes beside three acknowledgements or a few more.
  EXPECT_LT(run_.recording(assignment).counters().frames_out, 40);
}

TEST_F(RoleChildren, ABatchLargerThanThePrefetchDoesNotStopTheFlow) {
  publish_all(load_spec(100, 5000));
  const Json assignment = run_.role(role_spec({{"ack", "multiple(1000)"}, {"prefetch", 7}}));
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  worker.wait_for_progress("done", 100);
  worker.stop();
  EXPECT_EQ(deliveries(assignment).size(), 100U);
}

TEST_F(RoleChildren, PollsOneMessageAtATime) {
  publish_all(load_spec(20, 2000));
  const Json assignment = run_.role(role_spec({{"get", "2ms"}}));
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  worker.wait_for_progress("done", 20);
  worker.stop();
  EXPECT_EQ(sequences(deliveries(assignment)).size(), 20U);
  EXPECT_EQ(ready_messages(), 0U);
}

TEST_F(RoleChildren, AutomaticAcknowledgementIsSettledOnReceipt) {
  publish_all(load_spec(50, 2000));
  Json spec = role_spec({{"ack", "auto"}});
  spec["effort"] = {{"kind", "sleep"}, {"seconds", "1ms"}};
  const Json assignment = run_.role(spec);
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  worker.wait_for_progress("done", 50);
  worker.stop();
  for (const DeliveryRecord& record : deliveries(assignment)) {
    EXPECT_EQ(record.settlement, static_cast<std::uint8_t>(Settlement::kAutomatic));
    EXPECT_EQ(record.settled_ns, record.received_ns);
    EXPECT_GE(record.done_ns, record.started_ns + 1'000'000);
  }
}

TEST_F(RoleChildren, SubscribesAfterTheLoadWhenTold) {
  Json spec = role_spec({{"subscribe", "after_load"}, {"ack", "auto"}});
  spec["instances"] = 2;
  const Json assignment = run_.role(spec);
  ChildUnderTest workers(assignment);
  workers.wait_for("ready");
  publish_all(load_spec(100, 5000));
  EXPECT_EQ(ready_messages(), 100U);
  workers.send({{"subscribe", true}});
  workers.wait_for("subscribed");
  workers.wait_for_progress("done", 100);
  workers.stop();
  // Known answer R4: the first consumer takes all.
  for (const DeliveryRecord& record : deliveries(assignment)) EXPECT_EQ(record.consumer, 0);
}

TEST_F(RoleChildren, StrangeMessagesAreCountedAndKillNobody) {
  const std::uint64_t other_run = RunUnderTest::kRun + 1;
  Json foreign = run_.load(load_spec(1, 1000));
  foreign["run"] = other_run;
  foreign["spec"]["publish"]["body"] = {{"json", {{"status", "new"}}}};
  ChildUnderTest load(foreign);
  load.wait_for("ready");
  start(load);
  load.wait_for("load_done");
  load.stop();
  for (const char* body : {"no json", "{\"status\": \"old\"}", "{\"status\": \"new\"}"}) {
    broker_.publish("", queue_, {}, body);
  }
  Json spec = role_spec({{"prefetch", 2}});
  spec["when"] = {{"/status", "new"}};
  spec["otherwise"] = "ignore";
  const Json assignment = run_.role(spec);
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  worker.wait_for_progress("received", 4);
  worker.stop();
  const std::vector<DeliveryRecord> received = deliveries(assignment);
  ASSERT_EQ(received.size(), 4U);
  EXPECT_EQ(received[0].flags, kForeignRun);
  EXPECT_EQ(received[1].flags, kUnstamped | kUnreadable);
  EXPECT_EQ(received[2].flags, kUnstamped | kIgnored);
  EXPECT_EQ(received[3].flags, kUnstamped);
  EXPECT_EQ(received[1].done_ns, 0);
  EXPECT_NE(received[3].done_ns, 0);
  for (const DeliveryRecord& record : received) {
    EXPECT_EQ(record.settlement, static_cast<std::uint8_t>(Settlement::kAcked));
  }
  EXPECT_NE(worker.notices().find("counted"), std::string::npos);
}

TEST_F(RoleChildren, WhatIsNotWantedIsRejected) {
  publish_all(load_spec(10, 1000));
  Json spec = role_spec();
  spec["when"] = {{"/status", "new"}};
  spec["otherwise"] = "dead_letter";
  const Json assignment = run_.role(spec);
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  worker.wait_for_progress("unreadable", 10);
  worker.stop();
  for (const DeliveryRecord& record : deliveries(assignment)) {
    EXPECT_EQ(record.settlement, static_cast<std::uint8_t>(Settlement::kRejected));
  }
  EXPECT_EQ(ready_messages(), 0U);
}

TEST_F(RoleChildren, WhatGoesRoundInACircleEndsAtTheHopLimit) {
  Json spec = role_spec();
  spec["publish"] = {{"routing_key", queue_}};  // back to where it came from
  Json assignment = run_.role(spec);
  assignment["hop_limit"] = 5;
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  broker_.publish("", queue_, {}, "not ours: its first hop is ours");
  publish_all(load_spec(10, 1000));
  // Ours: hops 0 to 5, the last of which is not handed on. The stranger: it, and hops 1 to 5.
  worker.wait_for_progress("done", 11 * 6);
  worker.stop();
  std::vector<int> by_hops(6);
  std::size_t limited = 0;
  for (const DeliveryRecord& record : deliveries(assignment)) {
    ASSERT_LE(record.hops, 5);
    ++by_hops[record.hops];
    EXPECT_EQ((record.flags & kHopLimited) != 0, record.hops == 5);
    limited += (record.flags & kHopLimited) != 0;
  }
  EXPECT_EQ(by_hops, (std::vector<int>{11, 11, 11, 11, 11, 11}));
  EXPECT_EQ(limited, 11U);
  EXPECT_EQ(ready_messages(), 0U);
}

TEST_F(RoleChildren, ARolePublishesOnwardWithTheOriginOfItsMessage) {
  amqp::QueueDeclaration results;
  results.name = queue_ + " results";
  broker_.declare(results);
  Json spec = role_spec({{"prefetch", 1}});
  spec["set"] = {{"status", "corrected"}};
  spec["publish"] = {{"routing_key", results.name}};
  const Json corrector_assignment = run_.role(spec);
  ChildUnderTest corrector(corrector_assignment);
  Json reading = role_spec();
  reading["role"] = "reader";
  reading["record_keys"] = true;
  reading["consume"]["queue"] = results.name;
  reading["when"] = {{"/status", "corrected"}};
  const Json reader_assignment = run_.role(reading, 200);
  ChildUnderTest reader(reader_assignment);
  corrector.wait_for("ready");
  reader.wait_for("ready");
  Json load = load_spec(50, 1000);
  load["publish"]["body"] = {{"json", {{"status", "submitted"}, {"StudentID", "{id}"}}}};
  const std::vector<PublishRecord> origins = publish_all(load);
  reader.wait_for_progress("done", 50);
  corrector.stop();
  reader.stop();
  const std::vector<PublishRecord> onward = publishes(corrector_assignment);
  ASSERT_EQ(onward.size(), 50U);
  EXPECT_EQ(with_outcome(onward, kConfirmed), 50U);
  const std::vector<DeliveryRecord> read = deliveries(reader_assignment);
  EXPECT_EQ(sequences(read).size(), 50U);
  for (const DeliveryRecord& record : read) {
    EXPECT_EQ(record.hops, 1);
    EXPECT_EQ(record.publisher, 100U);
    EXPECT_EQ(record.flags, 0);
  }
  // What was caused by nothing has no detail; what was caused by something knows its origin.
  EXPECT_EQ(run_.recording(corrector_assignment).details(), 0U);
  std::uint64_t next = 0;
  run_.recording(reader_assignment).each_detail([&](std::span<const DeliveryDetail> details) {
    for (const DeliveryDetail& detail : details) {
      EXPECT_EQ(detail.delivery, next++);
      EXPECT_EQ(detail.origin_publisher, 0U);
      EXPECT_EQ(detail.origin_intended_ns, origins.at(detail.origin_sequence).intended_ns);
      EXPECT_EQ(detail.key_hash, key_hash(results.name));
    }
  });
  EXPECT_EQ(next, 50U);
  broker_.remove_queue(results.name);
}

TEST_F(RoleChildren, ADeletedQueueEndsTheRoleWithAClearError) {
  const Json assignment = run_.role(role_spec());
  ChildUnderTest worker(assignment);
  worker.wait_for("ready");
  broker_.remove_queue(queue_);
  const Json error = worker.wait_for("error");
  EXPECT_NE(error.at("where").get<std::string>().find(queue_), std::string::npos) << error.dump();
  EXPECT_EQ(worker.wait_for_end(), 1);
  EXPECT_EQ(events(assignment, EventKind::kConsumerCancelled).size(), 1U);
}

TEST_F(RoleChildren, AQueueThatIsNotThereIsAnError) {
  Json spec = role_spec();
  spec["consume"]["queue"] = "never declared";
  ChildUnderTest worker(run_.role(spec));
  EXPECT_NE(worker.wait_for("error").dump().find("never declared"), std::string::npos);
  EXPECT_EQ(worker.wait_for_end(), 1);
}

TEST_F(RoleChildren, LostConnectionsAreRestoredAndTheGapIsRecorded) {
  const Json role = run_.role(role_spec({{"prefetch", 5}}));
  ChildUnderTest worker(role);
  worker.wait_for("ready");
  const Json assignment = run_.load(load_spec(1000, 500));
  ChildUnderTest load(assignment);
  load.wait_for("ready");
  start(load);
  load.wait_for_progress("published", 100);
  amqp::LiveBroker::instance().control("close_all_connections 'a test'");
  load.wait_for("load_done");
  load.stop();
  const std::vector<PublishRecord> published = publishes(assignment);
  EXPECT_EQ(published.size(), 1000U);
  std::set<std::uint32_t> confirmed;
  for (const PublishRecord& record : published) {
    EXPECT_EQ(record.outcome & ~kConfirmed, 0);
    if (record.outcome == kConfirmed) confirmed.insert(record.sequence);
  }
  EXPECT_GE(confirmed.size(), 900U);
  worker.wait_for_progress("done", static_cast<std::int64_t>(confirmed.size()));
  worker.stop();
  for (const Json& child : {role, assignment}) {
    const auto gaps = events(child, EventKind::kReconnect);
    ASSERT_EQ(gaps.size(), 1U);
    EXPECT_GT(gaps[0].ended_ns, gaps[0].at_ns);
  }
  const std::set<std::uint32_t> seen = sequences(deliveries(role));
  EXPECT_TRUE(std::includes(seen.begin(), seen.end(), confirmed.begin(), confirmed.end()));
}

}  // namespace
}  // namespace brokerlab
