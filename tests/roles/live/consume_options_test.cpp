// What a role's `consume` and `settle` ask for, on a real broker.
#include <algorithm>
#include <set>

#include "core/operation.h"
#include "tests/roles/live/live_run.h"

namespace brokerlab {
namespace {

class ConsumeOptions : public LiveRun {};

TEST_F(ConsumeOptions, RefusedMessagesComeAgainOrAreGone) {
  Json spec = role_spec({{"prefetch", 10}});
  spec["settle"] = {{"requeue", 0.3}, {"nack", 0.2}};
  const Json role = run_.role(spec);
  ChildUnderTest worker(role);
  worker.wait_for("ready");
  publish_all(load_spec(200, 2000));
  worker.wait_for_progress("received", 200);
  const auto settled = [](const std::vector<DeliveryRecord>& records, Settlement settlement) {
    return std::count_if(records.begin(), records.end(), [&](const auto& record) {
      return record.settlement == static_cast<std::uint8_t>(settlement);
    });
  };
  worker.stop();
  const std::vector<DeliveryRecord> received = deliveries(role);
  std::set<std::uint32_t> sequences;
  for (const DeliveryRecord& record : received) sequences.insert(record.sequence);
  EXPECT_EQ(sequences.size(), 200U);
  EXPECT_NEAR(static_cast<double>(settled(received, Settlement::kRequeued)), 60, 30);
  EXPECT_NEAR(static_cast<double>(settled(received, Settlement::kRejected)), 40, 25);
  for (const DeliveryRecord& record : received) {
    const bool acked = record.settlement == static_cast<std::uint8_t>(Settlement::kAcked);
    EXPECT_EQ(record.done_ns != 0, acked);
    EXPECT_TRUE(acked || (record.flags & kRedelivered) == 0);
  }
}

TEST_F(ConsumeOptions, ARateAndATransactionLimitAConsumer) {
  Json spec = role_spec({{"prefetch", 50}, {"rate", 200}, {"transaction", 7}, {"channel_prefetch", 30}});
  const Json role = run_.role(spec);
  ChildUnderTest worker(role);
  worker.wait_for("ready");
  publish_all(load_spec(40, 10'000));
  worker.wait_for_progress("done", 40);
  worker.stop();
  std::vector<DeliveryRecord> received = deliveries(role);
  ASSERT_EQ(received.size(), 40U);
  // 200 a second are 5 ms each, of which a late timer may win back one.
  EXPECT_GE(received.back().started_ns - received.front().started_ns, 37 * 5'000'000);
  EXPECT_EQ(ready_messages(), 0U);
}

// Whatever the bodies are made of, and whoever hands them on: what arrives is what was sent.
TEST_F(ConsumeOptions, BodiesAreVerifiedWhereTheirPublisherSaysSo) {
  Json worker_spec = role_spec({{"prefetch", 10}});
  worker_spec["publish"] = {{"exchange", ""}, {"routing_key", queue_ + "-onward"}, {"verify", true}};
  amqp::QueueDeclaration onward;
  onward.name = queue_ + "-onward";
  broker_.declare(onward);
  Json collector_spec = role_spec();
  collector_spec["role"] = "collector";
  collector_spec["consume"]["queue"] = onward.name;
  const Json role = run_.role(worker_spec), last = run_.role(collector_spec);
  ChildUnderTest worker(role), collector(last);
  worker.wait_for("ready");
  collector.wait_for("ready");
  const std::vector<Json> bodies = {{{"size", {{"distribution", "uniform"}, {"min", 0}, {"max", 300'000}}}},
                                    {{"template", "{sequence} of {instance}"}},
                                    {{"json", {{"id", "{id}"}, {"text", "{choice:a|b}"}}}},
                                    {{"lines", {"first", "", "third"}}}};
  for (const Json& body : bodies) {
    Json spec = load_spec(10, 500);
    spec["publish"]["body"] = body;
    spec["publish"]["verify"] = true;
    publish_all(spec);
  }
  publish_all(load_spec(10, 500));  // brings no checksum along
  collector.wait_for_progress("done", 50);
  worker.stop();
  collector.stop();
  const auto with_flag = [&](const Json& assignment, DeliveryFlag flag) {
    const auto all = deliveries(assignment);
    return std::count_if(all.begin(), all.end(), [&](const auto& each) { return (each.flags & flag) != 0; });
  };
  EXPECT_EQ(with_flag(role, kVerified), 40);
  EXPECT_EQ(with_flag(last, kVerified), 50) << "the worker's own checksum, of what it handed on";
  EXPECT_EQ(with_flag(role, kCorrupted) + with_flag(last, kCorrupted), 0);
  broker_.remove_queue(onward.name);
}

// Replies go to whoever asked, and to nobody who did not.
TEST_F(ConsumeOptions, RequestsAreAnswered) {
  Json spec = role_spec({{"prefetch", 10}});
  spec["publish"] = {{"reply", true}};
  const Json role = run_.role(spec);
  ChildUnderTest answerer(role);
  answerer.wait_for("ready");
  Json asker = load_spec(20, 1000);
  asker["replies"] = true;
  const Json load = run_.load(asker);
  ChildUnderTest child(load);
  child.wait_for("ready");
  start(child);
  child.wait_for("load_done");
  child.stop();
  std::size_t answered = 0;
  run_.recording(load).each_event([&](auto some) {
    for (const EventRecord& event : some) {
      const auto operation = Operation::of(event);
      if (!operation) continue;
      EXPECT_EQ(operation->kind, OperationKind::kRequest);
      EXPECT_EQ(operation->outcome, OperationOutcome::kDone);
      EXPECT_GT(operation->ended_ns, operation->started_ns);
      ++answered;
    }
  });
  EXPECT_EQ(answered, 20U);
  publish_all(load_spec(5, 1000));
  answerer.wait_for_progress("done", 25);
  answerer.stop();
  EXPECT_EQ(publishes(role).size(), 0U);  // no queue of ours has them
}

// What is exclusive belongs to the connection that declares it: its consumer's.
TEST_F(ConsumeOptions, AnExclusiveQueueIsDeclaredByItsConsumer) {
  const std::string own = queue_ + "-own";
  Json spec = role_spec();
  spec["consume"]["queue"] = own;
  Json role = run_.role(spec);
  role["declares"] = {{"exchanges", Json::array()},
                      {"queues", Json::array({{{"name", own},
                                               {"durable", false},
                                               {"exclusive", true},
                                               {"auto_delete", false},
                                               {"arguments", Json::object()}}})},
                      {"bindings", Json::array({{{"exchange", "amq.direct"},
                                                 {"queue", own},
                                                 {"routing_key", own},
                                                 {"arguments", Json::object()}}})}};
  ChildUnderTest worker(role);
  worker.wait_for("ready");
  Json load = load_spec(10, 1000);
  load["publish"] = {{"exchange", "amq.direct"}, {"routing_key", own}};
  EXPECT_EQ(with_outcome(publish_all(load), kConfirmed), 10U);
  worker.wait_for_progress("done", 10);
  worker.stop();
  EXPECT_FALSE(broker_.queue(own));  // gone with its connection
}

TEST_F(ConsumeOptions, ConsumersStartLate) {
  Json spec = role_spec({{"start", {{"after", "100ms"}, {"every", "50ms"}}}});
  spec["instances"] = 2;
  const Json role = run_.role(spec);
  ChildUnderTest workers(role);
  workers.wait_for("ready");
  const Nanoseconds t0 = clock_.now();
  workers.send({{"start", t0}});
  publish_all(load_spec(10, 1000));
  workers.wait_for_progress("done", 10);
  while (events(role, EventKind::kConsuming).size() < 2) workers.wait_for("progress");
  workers.stop();
  const auto consuming = events(role, EventKind::kConsuming);
  EXPECT_GE(consuming[0].at_ns, t0 + 100'000'000);
  EXPECT_GE(consuming[1].at_ns, t0 + 150'000'000);
}

}  // namespace
}  // namespace brokerlab
