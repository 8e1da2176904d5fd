// The known answers (what a broker does with prefetch, crashes and copies is measured on RabbitMQ 3.10.8,
// what a queue does is theory) out of the simulated broker.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "core/random.h"
#include "tests/broker/simulated_clients.h"

namespace brokerlab {
namespace {

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

// The simulated broker is one line, to the nanosecond; what such a line of 10^6 waits, tests/cli holds
// against theory.
void expect_one_line(std::size_t servers, bool exponential, Nanoseconds service_ns) {
  const Arrivals arrivals(50'000, 1, exponential, service_ns);
  EXPECT_EQ(through_broker(arrivals, servers), one_line(arrivals, servers));
}

TEST(KnownAnswers, Q4Q5Q6OneLineFirstComeFirstServed) {
  expect_one_line(1, false, 5 * kMs);
  expect_one_line(1, true, 5 * kMs);
  expect_one_line(4, true, 20 * kMs);
}

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

}  // namespace
}  // namespace brokerlab
