#include "broker/routing.h"

#include <gtest/gtest.h>

namespace brokerlab {
namespace {

using Names = std::vector<std::string>;

Topology topology(const char* text) { return Topology::from_json(parse_json(text, "test")); }

TEST(TopicMatches, WordsAndWildcards) {
  EXPECT_TRUE(topic_matches("a.b", "a.b"));
  EXPECT_FALSE(topic_matches("a.b", "a.c"));
  EXPECT_TRUE(topic_matches("a.*", "a.b"));
  EXPECT_FALSE(topic_matches("a.*", "a"));
  EXPECT_FALSE(topic_matches("a.*", "a.b.c"));
  EXPECT_TRUE(topic_matches("a.#", "a"));
  EXPECT_TRUE(topic_matches("a.#", "a.b.c"));
  EXPECT_TRUE(topic_matches("#", ""));
  EXPECT_TRUE(topic_matches("", ""));
  EXPECT_FALSE(topic_matches("*", ""));
  EXPECT_TRUE(topic_matches("*", "a"));
  EXPECT_TRUE(topic_matches("a.", "a."));
  EXPECT_TRUE(topic_matches("a.*", "a."));
  EXPECT_TRUE(topic_matches("#.b", "b"));
  EXPECT_TRUE(topic_matches("#.b.#", "a.a.b.c"));
  EXPECT_FALSE(topic_matches("#.b.#", "a.a.c"));
  EXPECT_TRUE(topic_matches("*.#.c", "a.c"));
  EXPECT_FALSE(topic_matches("*.#.c", "c"));
}

TEST(Route, DefaultExchangeLeadsToTheQueueOfThatName) {
  const Topology t = topology(R"({"queues": [{"name": "tasks"}]})");
  EXPECT_EQ(route(t, "", "tasks").queues, Names{"tasks"});
  EXPECT_TRUE(route(t, "", "other").unroutable());
}

TEST(Route, DirectFanoutTopic) {
  const Topology t = topology(R"({
    "exchanges": [{"name": "d", "type": "direct"}, {"name": "f", "type": "fanout"}, {"name": "t", "type": "topic"}],
    "queues": [{"name": "q{i}", "copies": 3}],
    "bindings": [{"exchange": "d", "queue": "q{i}", "routing_key": "w{i}"}, {"exchange": "f", "queue": "q{i}"},
                 {"exchange": "t", "queue": "q0", "routing_key": "*.x"}, {"exchange": "t", "queue": "q1", "routing_key": "#"}]})");
  EXPECT_EQ(route(t, "d", "w1").queues, Names{"q1"});
  EXPECT_TRUE(route(t, "d", "w3").unroutable());
  EXPECT_EQ(route(t, "f", "whatever").copies(), 3U);
  EXPECT_EQ(route(t, "t", "a.x").queues, (Names{"q0", "q1"}));
  EXPECT_EQ(route(t, "t", "a.y").queues, Names{"q1"});
}

TEST(Route, ConsistentHashGoesToOneOfThem) {
  const Topology t = topology(
      R"({"exchanges": [{"name": "h", "type": "x-consistent-hash"}], "queues": [{"name": "q{i}", "copies": 3}],
    "bindings": [{"exchange": "h", "queue": "q{i}", "routing_key": "1"}]})");
  const Routes routes = route(t, "h", "any");
  EXPECT_TRUE(routes.known);
  EXPECT_TRUE(routes.queues.empty());
  ASSERT_EQ(routes.one_of.size(), 1U);
  EXPECT_EQ(routes.one_of[0], (Names{"q0", "q1", "q2"}));
  EXPECT_EQ(routes.copies(), 1U);
}

TEST(Route, AlternateExchangeTakesOnlyWhatNothingElseTakes) {
  const Topology t = topology(R"({
    "exchanges": [{"name": "d", "type": "direct", "alternate_exchange": "lost"}, {"name": "lost", "type": "fanout"}],
    "queues": [{"name": "a"}, {"name": "unrouted"}],
    "bindings": [{"exchange": "d", "queue": "a", "routing_key": "k"}, {"exchange": "lost", "queue": "unrouted"}]})");
  EXPECT_EQ(route(t, "d", "k").queues, Names{"a"});
  EXPECT_EQ(route(t, "d", "x").queues, Names{"unrouted"});
}

TEST(Route, ExchangesInACircleGiveOneCopy) {
  const Topology t = topology(R"({
    "exchanges": [{"name": "a", "type": "fanout"}, {"name": "b", "type": "fanout"}], "queues": [{"name": "q"}],
    "bindings": [{"exchange": "a", "destination_exchange": "b"}, {"exchange": "b", "destination_exchange": "a"},
                 {"exchange": "a", "queue": "q"}, {"exchange": "b", "queue": "q"}]})");
  EXPECT_EQ(route(t, "a", "").copies(), 1U);
}

TEST(Route, UnknownIsNeverGuessed) {
  const Topology t =
      topology(R"({"exchanges": [{"name": "h", "type": "headers"}, {"name": "p", "type": "x-other"}]})");
  for (const char* exchange : {"h", "p", "not-declared"}) {
    EXPECT_FALSE(route(t, exchange, "k").known) << exchange;
    EXPECT_FALSE(route(t, exchange, "k").unroutable()) << exchange;
  }
  EXPECT_TRUE(route(t, "amq.direct", "k").unroutable());
}

}  // namespace
}  // namespace brokerlab
