// The routing model against the broker itself: random topologies and keys, and which queues got the message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "amqp/session.h"
#include "broker/lease.h"
#include "broker/routing.h"
#include "core/random.h"
#include "tests/broker/live/shared_broker.h"

namespace brokerlab {
namespace {

constexpr std::int64_t kExchanges = 6;
constexpr std::int64_t kQueues = 6;

std::string pick(Random& random, const std::vector<std::string>& words) {
  return words[random.below(words.size())];
}

std::string random_key(Random& random, const std::vector<std::string>& words) {
  std::string key;
  const std::int64_t length = random.between(0, 4);
  for (std::int64_t i = 0; i < length; ++i) key += (i > 0 ? "." : "") + pick(random, words);
  return key;
}

const std::vector<std::string> kWords{"a", "b", ""};
const std::vector<std::string> kPatterns{"a", "b", "*", "#", ""};

std::string exchange_name(std::int64_t index) { return "e" + std::to_string(index); }

Topology random_topology(Random& random) {
  Topology topology;
  for (std::int64_t i = 0; i < kExchanges; ++i) {
    Exchange exchange;
    exchange.name = exchange_name(i);
    exchange.type = pick(random, {"direct", "fanout", "topic", "topic", "x-consistent-hash"});
    if (random.below(3) == 0) exchange.alternate_exchange = exchange_name(random.between(0, kExchanges - 1));
    topology.exchanges.push_back(exchange);
  }
  for (std::int64_t i = 0; i < kQueues; ++i) {
    Queue queue;
    queue.name = "q" + std::to_string(i);
    topology.queues.push_back(queue);
  }
  for (std::int64_t i = random.between(4, 16); i > 0; --i) {
    const std::int64_t source = random.between(0, kExchanges - 1);
    Binding binding;
    binding.exchange = exchange_name(source);
    const bool hash = topology.exchanges[static_cast<std::size_t>(source)].type == "x-consistent-hash";
    binding.routing_key = hash ? "1" : random_key(random, kPatterns);
    if (!hash && random.below(3) == 0) {
      binding.destination_kind = Binding::Destination::kExchange;
      binding.destination = exchange_name(random.between(0, kExchanges - 1));
    } else {
      binding.destination = "q" + std::to_string(random.between(0, kQueues - 1));
    }
    topology.bindings.push_back(binding);
  }
  return topology;
}

// Which queues hold a message; takes it out.
std::set<std::string> arrived(amqp::Session& session) {
  std::set<std::string> queues;
  for (std::int64_t i = 0; i < kQueues; ++i) {
    const std::string name = "q" + std::to_string(i);
    while (session.get(name)) EXPECT_TRUE(queues.insert(name).second) << name << " got two copies";
  }
  return queues;
}

void expect_as_predicted(const Routes& routes, std::set<std::string> got, bool routed) {
  EXPECT_EQ(routes.unroutable(), !routed);
  for (const std::string& queue : routes.queues) EXPECT_EQ(got.erase(queue), 1U) << queue << " got none";
  for (const std::vector<std::string>& set : routes.one_of) {
    std::size_t taken = 0;
    for (const std::string& queue : set) taken += got.erase(queue);
    EXPECT_EQ(taken, 1U) << "of a hash ring";
  }
  EXPECT_TRUE(got.empty()) << *got.begin() << " got one unexpectedly";
}

TEST(RoutingModel, PredictsWhereTheBrokerPutsEveryMessage) {
  const MonotonicClock clock;
  LeaseRequest request;
  request.run_id = "routing";
  request.uri = SharedBroker::get().uri();
  request.management_uri = SharedBroker::get().management_uri();
  const auto lease = Lease::open(request, clock);
  amqp::Session session(amqp::Uri::parse(lease->uri()));
  int known = 0, unroutable = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Random random(seed);
    const Topology topology = random_topology(random);
    lease->declare(topology);
    for (int message = 0; message < 20; ++message) {
      const std::string exchange =
          random.below(8) == 0 ? "" : exchange_name(random.between(0, kExchanges - 1));
      const std::string key = random.below(8) == 0 ? "q1" : random_key(random, kWords);
      SCOPED_TRACE("seed " + std::to_string(seed) + ", exchange '" + exchange + "', key '" + key + "'");
      const Routes routes = route(topology, exchange, key);
      const bool routed = session.publish(exchange, key, {}, "x");
      const std::set<std::string> got = arrived(session);
      if (!routes.known) continue;
      ++known;
      unroutable += routes.unroutable();
      expect_as_predicted(routes, got, routed);
    }
    lease->remove(topology);
  }
  // The test would be worth nothing if the model dodged the question.
  EXPECT_GT(known, 300);
  EXPECT_GT(unroutable, 30);
}

}  // namespace
}  // namespace brokerlab
