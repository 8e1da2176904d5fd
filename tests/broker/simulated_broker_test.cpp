#include "broker/simulated_broker.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/key_hash.h"
#include "tests/broker/simulated_clients.h"

namespace brokerlab {
namespace {

TEST(SimulatedBroker, ARequeuedMessageHasItsOldPlaceAndIsMarked) {
  VirtualTime time;
  SimulatedBroker broker(one_queue(), {}, time);
  Source source(broker);
  Reader reader(broker, "q", 1, [&](Reader& self, auto tag, const auto&) {
    if (self.seen.size() == 1) return broker.requeue(self.id, tag);
    broker.ack(self.id, tag);
  });
  for (std::uint64_t i = 0; i < 3; ++i) source.publish(i);
  time.run();
  EXPECT_THAT(reader.ids(), testing::ElementsAre(0, 0, 1, 2));
  EXPECT_FALSE(reader.seen[0].redelivered);
  EXPECT_TRUE(reader.seen[1].redelivered);
  EXPECT_FALSE(reader.seen[2].redelivered);
}

TEST(SimulatedBroker, OneAcknowledgementSettlesAllBeforeIt) {
  VirtualTime time;
  SimulatedBroker broker(one_queue(), {}, time);
  Source source(broker);
  Reader reader(broker, "q", 4, [&](Reader& self, auto tag, const auto&) {
    if (tag % 4 == 0) broker.ack(self.id, tag, true);
  });
  for (std::uint64_t i = 0; i < 10; ++i) source.publish(i);
  time.run();
  EXPECT_EQ(reader.seen.size(), 10U);
  EXPECT_EQ(broker.unacked("q"), 2U);
}

TEST(SimulatedBroker, ACancelledConsumerGetsNothingMore) {
  VirtualTime time;
  SimulatedBroker broker(one_queue(), {}, time);
  Source source(broker);
  Reader reader(broker, "q", 1, [&](Reader& self, auto tag, const auto&) {
    broker.cancel(self.id);
    broker.ack(self.id, tag);
  });
  for (std::uint64_t i = 0; i < 3; ++i) source.publish(i);
  time.run();
  EXPECT_EQ(reader.seen.size(), 1U);
  EXPECT_EQ(broker.ready("q"), 2U);
}

TEST(SimulatedBroker, WhatIsRejectedExpiresOrHasNoPlaceIsDeadLettered) {
  VirtualTime time;
  SimulatedBroker broker(topology(R"({
    "exchanges": [{"name": "dead", "type": "topic"}],
    "queues": [
      {"name": "q", "arguments": {"x-dead-letter-exchange": "dead", "x-max-length": 2, "x-message-ttl": 100}},
      {"name": "grave"}],
    "bindings": [{"exchange": "dead", "queue": "grave", "routing_key": "#"}]})"),
                         {}, time);
  Source source(broker);
  Reader grave(broker, "grave", 0, [&](Reader& self, auto tag, const auto&) { broker.ack(self.id, tag); });
  Reader reader(broker, "q", 1, [&](Reader& self, auto tag, const auto& message) {
    if (message.id == 0) broker.reject(self.id, tag);  // and keeps the second
  });
  for (std::uint64_t i = 0; i < 5; ++i) source.publish(i);  // 1 and 2 make room for 3 and 4
  time.run();
  EXPECT_EQ(time.now(), 100 * kMs);
  EXPECT_THAT(grave.ids(), testing::UnorderedElementsAre(0, 1, 2, 4));
  std::map<std::uint64_t, DeathReason> why;
  for (const SimulatedMessage& message : grave.seen) why[message.id] = message.death;
  EXPECT_EQ(why[0], DeathReason::kRejected);
  EXPECT_EQ(why[1], DeathReason::kMaxLength);
  EXPECT_EQ(why[2], DeathReason::kMaxLength);
  EXPECT_EQ(why[4], DeathReason::kExpired);
  EXPECT_EQ(grave.seen.front().deaths, 1);
  EXPECT_EQ(grave.seen.front().death_queue, queue_hash("q"));
}

TEST(SimulatedBroker, BindingsComeAndGo) {
  VirtualTime time;
  const Topology sharded = topology(R"({
    "exchanges": [{"name": "e", "type": "x-consistent-hash"}],
    "queues": [{"name": "a"}, {"name": "b"}],
    "bindings": [{"exchange": "e", "queue": "a", "routing_key": "1"}]})");
  SimulatedBroker broker(sharded, {}, time);
  Source source(broker);
  Binding second = sharded.bindings.front();
  second.destination = "b";
  const auto publish_100 = [&] {
    for (std::uint64_t i = 0; i < 100; ++i) source.publish(i, "e", "key-" + std::to_string(i));
    time.run();
  };
  publish_100();
  EXPECT_EQ(broker.ready("a"), 100U);
  broker.bind(second);
  publish_100();
  EXPECT_GT(broker.ready("b"), 20U);
  EXPECT_EQ(broker.ready("a") + broker.ready("b"), 200U);
  broker.unbind(sharded.bindings.front());
  const std::size_t before = broker.ready("a");
  publish_100();
  EXPECT_EQ(broker.ready("a"), before);
}

TEST(SimulatedBroker, HeadersAndChanceRouteToo) {
  VirtualTime time;
  SimulatedBroker broker(topology(R"({
    "exchanges": [{"name": "h", "type": "headers"}, {"name": "r", "type": "x-random"}],
    "queues": [{"name": "a"}, {"name": "b"}],
    "bindings": [{"exchange": "h", "queue": "a", "arguments": {"x-match": "any", "kind": "x", "size": 2}},
                 {"exchange": "r", "queue": "a"}, {"exchange": "r", "queue": "b"}]})"),
                         {}, time);
  Source source(broker);
  source.publish(0, "h", "", 0, {{"kind", "y"}, {"size", 2}});
  source.publish(1, "h", "", 0, {{"kind", "y"}});
  time.run();
  EXPECT_EQ(broker.ready("a"), 1U);
  EXPECT_EQ(source.routed, 1);
  for (std::uint64_t i = 0; i < 1000; ++i) source.publish(i, "r", "");
  time.run();
  EXPECT_EQ(broker.ready("a") + broker.ready("b"), 1001U);
  EXPECT_NEAR(static_cast<double>(broker.ready("b")), 500, 80);
}

// A later message of the same publisher never overtakes an earlier one, whatever is drawn.
TEST(SimulatedBroker, DrawnDelaysKeepTheOrder) {
  VirtualTime time;
  BrokerCosts costs;
  costs.publish =
      StepCost(Distribution::from_json({{"distribution", "exponential"}, {"mean", 0.01}}, plain_number), 0);
  costs.deliver = costs.publish;
  SimulatedBroker broker(one_queue(), costs, time);
  Source source(broker);
  Reader reader(broker, "q", 0, [&](Reader& self, auto tag, const auto&) { broker.ack(self.id, tag); });
  for (std::uint64_t i = 0; i < 1000; ++i)
    time.at(static_cast<Nanoseconds>(i) * kMs, [&source, i] { source.publish(i); });
  time.run();
  ASSERT_EQ(reader.seen.size(), 1000U);
  const std::vector<std::uint64_t> ids = reader.ids();
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_GT(time.now(), 1000 * kMs);
}

TEST(SimulatedBroker, CapacityIsOnePublishAtATime) {
  VirtualTime time;
  BrokerCosts costs;
  costs.route = kMs;
  costs.per_byte_ns = 10;
  SimulatedBroker broker(one_queue(), costs, time);
  Nanoseconds last_ns = 0;
  Source source(broker);
  source.told = [&] { last_ns = time.now(); };
  for (std::uint64_t i = 0; i < 100; ++i) source.publish(i, "", "q", 100'000);
  time.run();
  EXPECT_EQ(last_ns, 200 * kMs);
}

TEST(SimulatedBroker, RefusesByNameWhatItDoesNotModel) {
  const auto refused = [](const char* text) {
    VirtualTime time;
    try {
      SimulatedBroker(topology(text), {}, time);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refused(R"({"queues": [{"name": "q", "arguments": {"x-max-priority": 5}}]})"),
              testing::HasSubstr("x-max-priority"));
  EXPECT_THAT(refused(R"({"exchanges": [{"name": "e", "type": "x-recent-history"}]})"),
              testing::HasSubstr("x-recent-history"));
  EXPECT_THAT(refused(R"({"queues": [{"name": "q", "arguments": {"x-dead-letter-exchange": ""}}]})"),
              testing::HasSubstr("come back"));
}

}  // namespace
}  // namespace brokerlab
