// The known answers (what a broker does with prefetch, crashes and copies is measured on RabbitMQ 3.10.8,
// what a queue does is theory) out of the simulated broker.
#include "broker/simulated_broker.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/error.h"
#include "core/key_hash.h"
#include "core/random.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kMs = 1'000'000;

Topology topology(const char* text) { return Topology::from_json(parse_json(text, "test")); }
Topology one_queue() { return topology(R"({"queues": [{"name": "q"}]})"); }

// Works on one message at a time; the others that came wait.
class Worker final : public SimulatedClient {
 public:
  struct Done {
    std::uint64_t id;
    Nanoseconds received_ns, started_ns;
    bool redelivered;
  };
  using EffortOf = std::function<Nanoseconds(std::uint64_t)>;

  Worker(SimulatedBroker& broker, VirtualTime& time, std::uint32_t prefetch, bool auto_ack, EffortOf effort)
      : broker_(broker), time_(time), auto_ack_(auto_ack), effort_(std::move(effort)) {
    id_ = broker.consume("q", prefetch, auto_ack, *this);
  }

  void on_delivery(std::uint64_t tag, const SimulatedMessage& message) override {
    ++received;
    waiting_.push_back({tag, {message.id, time_.now(), 0, message.redelivered}});
    pump();
  }

  void crash() {
    alive_ = false;
    broker_.crash(id_);
  }

  std::vector<Done> done;
  std::size_t received = 0;
  Nanoseconds busy_ns = 0, ended_ns = 0;

 private:
  void pump() {
    if (busy_ || waiting_.empty()) return;
    busy_ = true;
    auto [tag, work] = waiting_.front();
    waiting_.pop_front();
    work.started_ns = time_.now();
    const Nanoseconds effort_ns = effort_(work.id);
    time_.at(time_.now() + effort_ns, [this, tag = tag, work = work, effort_ns] {
      if (!alive_) return;
      busy_ns += effort_ns;
      ended_ns = time_.now();
      done.push_back(work);
      busy_ = false;
      if (!auto_ack_) broker_.ack(id_, tag);
      pump();
    });
  }

  SimulatedBroker& broker_;
  VirtualTime& time_;
  bool auto_ack_;
  EffortOf effort_;
  SimulatedBroker::ConsumerId id_ = 0;
  std::deque<std::pair<SimulatedBroker::Tag, Done>> waiting_;
  bool busy_ = false, alive_ = true;
};

// Publishes and counts what it hears.
class Source final : public SimulatedClient {
 public:
  explicit Source(SimulatedBroker& broker) : broker_(broker), id_(broker.add_publisher(*this)) {}

  void publish(std::uint64_t id, const std::string& exchange = "", const std::string& key = "q",
               std::uint32_t bytes = 0, const Json& headers = Json::object()) {
    broker_.publish(id_, {id, bytes, broker_.route(exchange, key, headers)});
  }
  void on_confirm(std::uint64_t, bool there) override {
    ++confirmed;
    routed += there;
    if (told) told();
  }

  int confirmed = 0, routed = 0;
  std::function<void()> told;

 private:
  SimulatedBroker& broker_;
  SimulatedBroker::PublisherId id_;
};

double quantile(const std::vector<double>& sorted, double q) {
  return sorted.at(static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size()))) - 1);
}

// Poisson arrivals, 160/s, and the work that each brings.
struct Arrivals {
  std::vector<Nanoseconds> at, work;

  Arrivals(std::size_t count, std::uint32_t seed, bool exponential, Nanoseconds service_ns) {
    Random gaps(seed, "arrivals", 0), efforts(seed, "effort", 0);
    Nanoseconds now = 0;
    for (std::size_t i = 0; i < count; ++i) {
      at.push_back(now);
      now += static_cast<Nanoseconds>(gaps.exponential(1e9 / 160));
      work.push_back(exponential
                         ? static_cast<Nanoseconds>(efforts.exponential(static_cast<double>(service_ns)))
                         : service_ns);
    }
  }
};

// How long each waits for one of the servers, first come, first served: nothing but arithmetic.
std::vector<Nanoseconds> one_line(const Arrivals& arrivals, std::size_t servers) {
  std::vector<Nanoseconds> free_at(servers), waits;
  for (std::size_t i = 0; i < arrivals.at.size(); ++i) {
    Nanoseconds& first = *std::min_element(free_at.begin(), free_at.end());
    const Nanoseconds start = std::max(first, arrivals.at[i]);
    first = start + arrivals.work[i];
    waits.push_back(start - arrivals.at[i]);
  }
  return waits;
}

// The same through the broker, with prefetch 1.
std::vector<Nanoseconds> through_broker(const Arrivals& arrivals, std::size_t servers) {
  VirtualTime time;
  SimulatedBroker broker(one_queue(), {}, time);
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < servers; ++i) {
    workers.push_back(std::make_unique<Worker>(broker, time, 1, false,
                                               [&](std::uint64_t id) { return arrivals.work.at(id); }));
  }
  Source source(broker);
  std::size_t next = 0;
  std::function<void()> arrive = [&] {
    source.publish(next);
    if (++next < arrivals.at.size()) time.at(arrivals.at[next] - arrivals.at[0], arrive);
  };
  arrive();
  time.run();
  std::vector<Nanoseconds> waits(arrivals.at.size(), -1);
  for (const auto& worker : workers)
    for (const Worker::Done& done : worker->done)
      waits.at(done.id) = done.started_ns - arrivals.at.at(done.id);
  return waits;
}

struct Expected {
  double mean, p50, p90, p99, p99_9;
};

// The simulated broker is one line, to the nanosecond; and one line of 10^6 arrivals, eight times over
// because the long waits come in few bursts, waits as theory says.
void expect_waits(std::size_t servers, bool exponential, Nanoseconds service_ns, const Expected& expected) {
  const Arrivals few(50'000, 1, exponential, service_ns);
  EXPECT_EQ(through_broker(few, servers), one_line(few, servers));

  std::vector<double> waited;
  double sum = 0;
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    for (const Nanoseconds wait : one_line(Arrivals(1'000'000, seed, exponential, service_ns), servers)) {
      waited.push_back(static_cast<double>(wait) / kMs);
      sum += waited.back();
    }
  }
  EXPECT_NEAR(sum / static_cast<double>(waited.size()), expected.mean, 0.03 * expected.mean);
  for (const auto& [q, value] :
       {std::pair{0.5, expected.p50}, {0.9, expected.p90}, {0.99, expected.p99}, {0.999, expected.p99_9}}) {
    const auto at =
        waited.begin() + static_cast<std::ptrdiff_t>(std::ceil(q * static_cast<double>(waited.size()))) - 1;
    std::nth_element(waited.begin(), at, waited.end());
    EXPECT_NEAR(*at, value, 0.03 * value) << q;
  }
}

TEST(KnownAnswers, Q4ConstantServiceWaitsAsPollaczekKhinchine) {
  expect_waits(1, false, 5 * kMs, {10.00, 6.38, 25.06, 51.78, 78.50});
}
TEST(KnownAnswers, Q5ExponentialService) {
  expect_waits(1, true, 5 * kMs, {20.0, 11.75, 51.99, 109.55, 167.12});
}
TEST(KnownAnswers, Q6FourServers) { expect_waits(4, true, 20 * kMs, {14.911, 4.41, 44.64, 102.21, 159.77}); }

// 100 messages, efforts 18 and 2 ms in turn, two workers.
struct TwoWorkers {
  TwoWorkers(std::uint32_t prefetch, bool auto_ack)
      : a(broker, time, prefetch, auto_ack, &effort), b(broker, time, prefetch, auto_ack, &effort) {
    for (std::uint64_t i = 0; i < 100; ++i) source.publish(i);
    time.run();
  }
  static Nanoseconds effort(std::uint64_t id) { return (id % 2 == 0 ? 18 : 2) * kMs; }

  VirtualTime time;
  SimulatedBroker broker{one_queue(), {}, time};
  Source source{broker};
  Worker a, b;
};

void expect_push(const TwoWorkers& run) {
  EXPECT_EQ(run.a.done.size(), 50U);
  EXPECT_EQ(run.b.done.size(), 50U);
  EXPECT_EQ(run.a.busy_ns, 900 * kMs);
  EXPECT_EQ(run.b.busy_ns, 100 * kMs);
  EXPECT_EQ(std::max(run.a.ended_ns, run.b.ended_ns), 900 * kMs);
}

TEST(KnownAnswers, R1PushGivesOneWorkerAllTheHardOnes) { expect_push(TwoWorkers(0, true)); }
TEST(KnownAnswers, R3AutomaticAcknowledgementIgnoresPrefetch) { expect_push(TwoWorkers(1, true)); }

TEST(KnownAnswers, R2FairDispatchSharesTheTime) {
  const TwoWorkers run(1, false);
  EXPECT_NEAR(static_cast<double>(run.a.busy_ns), 500e6, 0.08 * 500e6);
  EXPECT_NEAR(static_cast<double>(run.b.busy_ns), 500e6, 0.08 * 500e6);
  EXPECT_LE(std::max(run.a.ended_ns, run.b.ended_ns), 540 * kMs);
}

TEST(KnownAnswers, R4WhoSubscribesFirstTakesAllThatWaits) {
  VirtualTime time;
  SimulatedBroker broker(one_queue(), {}, time);
  Source source(broker);
  for (std::uint64_t i = 0; i < 100; ++i) source.publish(i);
  time.run();
  const Worker::EffortOf none = [](std::uint64_t) { return Nanoseconds{0}; };
  Worker first(broker, time, 0, true, none), second(broker, time, 0, true, none);
  time.run();
  EXPECT_EQ(first.received, 100U);
  EXPECT_EQ(second.received, 0U);
}

TEST(KnownAnswers, R7PrefetchHidesTheTurnaroundUpToTheKnee) {
  const std::map<std::uint32_t, double> expected{{1, 36.9}, {2, 73.8}, {3, 110.7}, {5, 184.5}, {10, 192.7}};
  constexpr std::uint64_t kMessages = 2000;
  for (const auto& [prefetch, per_s] : expected) {
    VirtualTime time;
    BrokerCosts costs;
    costs.deliver = 10'950'000;
    costs.ack = 10'950'000;
    SimulatedBroker broker(one_queue(), costs, time);
    Worker worker(broker, time, prefetch, false, [](std::uint64_t) { return Nanoseconds{5'190'000}; });
    Source source(broker);
    for (std::uint64_t i = 0; i < kMessages; ++i) source.publish(i);
    time.run();
    const double measured = kMessages * 1e9 / static_cast<double>(worker.ended_ns);
    EXPECT_NEAR(measured, per_s, (prefetch == 5 ? 0.12 : 0.05) * per_s) << "prefetch " << prefetch;
  }
}

// 1,000/s for 20 s, the broker stands still for the 2 s from the 5th on.
TEST(KnownAnswers, S1AStallIsFeltByEveryMessageThatWasDue) {
  VirtualTime time;
  SimulatedBroker broker(one_queue(), {}, time);
  Worker worker(broker, time, 0, true, [](std::uint64_t) { return Nanoseconds{0}; });
  Source source(broker);
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    time.at(static_cast<Nanoseconds>(i) * kMs, [&source, i] { source.publish(i); });
  }
  time.at(5'000 * kMs, [&] { broker.pause(); });
  time.at(7'000 * kMs, [&] { broker.resume(); });
  time.run();
  std::vector<double> latencies;
  double sum = 0;
  for (const Worker::Done& done : worker.done) {
    latencies.push_back(static_cast<double>(done.received_ns) / kMs - static_cast<double>(done.id));
    sum += latencies.back();
  }
  std::sort(latencies.begin(), latencies.end());
  ASSERT_EQ(latencies.size(), 20'000U);
  EXPECT_NEAR(sum / 20'000, 100, 5);
  EXPECT_EQ(quantile(latencies, 0.5), 0);
  EXPECT_NEAR(quantile(latencies, 0.99), 1800, 36);
  EXPECT_NEAR(quantile(latencies, 0.999), 1980, 39.6);
  EXPECT_NEAR(latencies.back(), 2000, 40);
}

struct Crash {
  Crash(std::uint32_t prefetch, bool auto_ack) {
    VirtualTime time;
    SimulatedBroker broker(one_queue(), {}, time);
    Worker victim(broker, time, prefetch, auto_ack, [](std::uint64_t) { return 50 * kMs; });
    Source source(broker);
    for (std::uint64_t i = 0; i < 100; ++i) source.publish(i);
    std::unique_ptr<Worker> second;
    time.at(1020 * kMs, [&] {
      victim.crash();
      second = std::make_unique<Worker>(broker, time, 0, true, [](std::uint64_t) { return Nanoseconds{0}; });
    });
    time.run();
    acked = victim.done.size();
    for (const Worker::Done& done : second->done) {
      ids.push_back(done.id);
      redelivered += done.redelivered;
    }
    unacked = broker.unacked("q");
  }
  std::size_t acked = 0, redelivered = 0, unacked = 0;
  std::vector<std::uint64_t> ids;
};

TEST(KnownAnswers, A1ACrashedWorkersMessagesComeAgainInTheirOldOrder) {
  const std::map<std::uint32_t, std::size_t> expected{{1, 1}, {5, 5}, {20, 20}, {0, 80}};
  for (const auto& [prefetch, redelivered] : expected) {
    const Crash crash(prefetch, false);
    EXPECT_EQ(crash.acked, 20U);
    EXPECT_EQ(crash.redelivered, redelivered) << "prefetch " << prefetch;
    EXPECT_EQ(crash.ids.size(), 80U);  // none lost
    EXPECT_TRUE(std::is_sorted(crash.ids.begin(), crash.ids.end()));
    EXPECT_EQ(crash.unacked, 0U);
  }
}

TEST(KnownAnswers, A2WithAutomaticAcknowledgementTheRestIsLost) {
  const Crash crash(0, true);
  EXPECT_EQ(crash.acked, 20U);
  EXPECT_EQ(crash.ids.size(), 0U);
}

TEST(KnownAnswers, A4UnroutableMessagesAreConfirmed) {
  VirtualTime time;
  SimulatedBroker broker(one_queue(), {}, time);
  Source source(broker);
  for (std::uint64_t i = 0; i < 10; ++i) source.publish(i, "", "nowhere");
  time.run();
  EXPECT_EQ(source.confirmed, 10);
  EXPECT_EQ(source.routed, 0);
}

TEST(KnownAnswers, A5AQueueGetsOneCopyHoweverManyBindingsMatch) {
  VirtualTime time;
  SimulatedBroker broker(topology(R"({
    "exchanges": [{"name": "all", "type": "fanout"}, {"name": "words", "type": "topic"}],
    "queues": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
    "bindings": [{"exchange": "all", "queue": "a"}, {"exchange": "all", "queue": "b"},
                 {"exchange": "words", "queue": "c", "routing_key": "x.*"},
                 {"exchange": "words", "queue": "c", "routing_key": "#"}]})"),
                         {}, time);
  Source source(broker);
  for (std::uint64_t i = 0; i < 10; ++i) {
    source.publish(i, "all", "");
    source.publish(i, "words", "x.y");
  }
  time.run();
  EXPECT_EQ(broker.ready("a"), 10U);
  EXPECT_EQ(broker.ready("b"), 10U);
  EXPECT_EQ(broker.ready("c"), 10U);
}

// Does with each delivery what it is told.
class Reader final : public SimulatedClient {
 public:
  using Act = std::function<void(Reader&, SimulatedBroker::Tag, const SimulatedMessage&)>;
  Reader(SimulatedBroker& broker, const std::string& queue, std::uint32_t prefetch, Act act)
      : act_(std::move(act)), id(broker.consume(queue, prefetch, false, *this)) {}
  void on_delivery(std::uint64_t tag, const SimulatedMessage& message) override {
    seen.push_back(message);
    act_(*this, tag, message);
  }
  std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> all;
    for (const SimulatedMessage& message : seen) all.push_back(message.id);
    return all;
  }

  std::vector<SimulatedMessage> seen;

 private:
  Act act_;

 public:
  SimulatedBroker::ConsumerId id;
};

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
