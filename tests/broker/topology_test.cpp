#include "broker/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace brokerlab {
namespace {

Topology topology(const char* text) { return Topology::from_json(parse_json(text, "test")); }

std::string where_of(const char* text) {
  try {
    topology(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_FALSE(error.remedy().empty());
    return error.where();
  }
  return "accepted";
}

TEST(Topology, CopiesAreExpandedInNamesBindingsAndArguments) {
  const Topology t = topology(R"({
    "exchanges": [{"name": "d", "type": "direct"}],
    "queues": [{"name": "q{i}", "copies": 3, "durable": true, "arguments": {"x-dead-letter-routing-key": "dead{i}"}}],
    "bindings": [{"exchange": "d", "queue": "q{i}", "routing_key": "key.{i}.{i}"}, {"exchange": "d", "queue": "q2", "routing_key": "x"}]})");
  ASSERT_EQ(t.queues.size(), 3U);
  EXPECT_EQ(t.queues[2].name, "q2");
  EXPECT_TRUE(t.queues[2].durable);
  EXPECT_EQ(t.queues[2].arguments["x-dead-letter-routing-key"], "dead2");
  ASSERT_EQ(t.bindings.size(), 4U);
  EXPECT_EQ(t.bindings[1].destination, "q1");
  EXPECT_EQ(t.bindings[1].routing_key, "key.1.1");
}

TEST(Topology, WhatMakesNoSenseIsRefusedWithItsPlace) {
  EXPECT_EQ(where_of(R"({"queues": [{"name": "q", "copies": 2}]})"), "/topology/queues/0/name");
  EXPECT_EQ(where_of(R"({"queues": [{"name": "q"}, {"name": "q"}]})"), "/topology/queues/1");
  EXPECT_EQ(where_of(R"({"queues": [{"name": "q{i}", "copies": 2}, {"name": "q1"}]})"), "/topology/queues/1");
  EXPECT_EQ(where_of(R"({"exchanges": [{"name": "e", "type": "direct"}, {"name": "e", "type": "direct"}]})"),
            "/topology/exchanges/1");
  EXPECT_EQ(where_of(R"({"exchanges": [{"name": "e", "type": "direct", "alternate_exchange": "none"}]})"),
            "/topology/exchanges/0/alternate_exchange");
  EXPECT_EQ(where_of(R"({"queues": [{"name": "q"}], "bindings": [{"exchange": "e", "queue": "q"}]})"),
            "/topology/bindings/0/exchange");
  EXPECT_EQ(where_of(R"({"bindings": [{"exchange": "amq.fanout", "queue": "q"}]})"),
            "/topology/bindings/0/queue");
  EXPECT_EQ(where_of(R"({"bindings": [{"exchange": "amq.fanout", "destination_exchange": "e"}]})"),
            "/topology/bindings/0/destination_exchange");
  EXPECT_EQ(where_of(R"({"queues": [{"name": "q"}], "bindings": [{"exchange": "", "queue": "q"}]})"),
            "/topology/bindings/0/exchange");
}

TEST(Topology, PrefixComesBeforeEveryNameOfOursAndNoOther) {
  const Topology t = topology(R"({
    "exchanges": [{"name": "mine", "type": "direct", "alternate_exchange": "theirs"}, {"name": "theirs", "type": "fanout", "predeclared": true}],
    "queues": [{"name": "a", "arguments": {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "b"}},
               {"name": "b", "arguments": {"x-dead-letter-exchange": "mine", "x-dead-letter-routing-key": "b"}},
               {"name": "c", "predeclared": true}],
    "bindings": [{"exchange": "mine", "queue": "a", "routing_key": "a"}, {"exchange": "amq.topic", "queue": "c"},
                 {"exchange": "theirs", "destination_exchange": "mine"}]})")
                         .with_prefix("lab-1.");
  EXPECT_EQ(t.exchanges[0].name, "lab-1.mine");
  EXPECT_EQ(t.exchanges[0].alternate_exchange, "theirs");
  EXPECT_EQ(t.exchanges[1].name, "theirs");
  EXPECT_EQ(t.queues[0].name, "lab-1.a");
  EXPECT_EQ(t.queues[0].arguments["x-dead-letter-routing-key"], "lab-1.b");  // the name of a queue
  EXPECT_EQ(t.queues[1].arguments["x-dead-letter-exchange"], "lab-1.mine");
  EXPECT_EQ(t.queues[1].arguments["x-dead-letter-routing-key"], "b");  // a key
  EXPECT_EQ(t.queues[2].name, "c");
  EXPECT_EQ(t.bindings[0].destination, "lab-1.a");
  EXPECT_EQ(t.bindings[0].routing_key, "a");
  EXPECT_EQ(t.bindings[1].exchange, "amq.topic");
  EXPECT_EQ(t.bindings[1].destination, "c");
  EXPECT_EQ(t.bindings[2].destination, "lab-1.mine");
}

TEST(Topology, PluginsFollowFromTheTypes) {
  const Topology t = topology(
      R"({"exchanges": [{"name": "a", "type": "x-random"}, {"name": "b", "type": "fanout"}, {"name": "c", "type": "x-consistent-hash"}]})");
  EXPECT_THAT(plugins_for(t),
              testing::ElementsAre("rabbitmq_consistent_hash_exchange", "rabbitmq_random_exchange"));
}

}  // namespace
}  // namespace brokerlab
