#include "experiments/broker_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "experiments/node_source.h"
#include "tests/experiments/fake_targets.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kMs = 1'000'000;

class FakeSource final : public BrokerSource {
 public:
  std::vector<std::int64_t> asked;
  std::deque<std::vector<BrokerSample>> answers;
  bool owes = false;

  void ask(std::int64_t round) override { asked.push_back(round); }
  std::vector<BrokerSample> take() override {
    if (answers.empty()) return {};
    auto next = std::move(answers.front());
    answers.pop_front();
    return next;
  }
  bool waiting() const override { return owes; }
  std::map<std::string, std::string> given_up() const override { return {{"cpu", "no such plugin"}}; }
  std::vector<BrokerSample> last_look() override { return {}; }
};

BrokerSample of_node(std::int64_t round, const std::string& node, std::vector<BrokerSample::Queue> queues) {
  BrokerSample sample;
  sample.round = round;
  sample.source = "node";
  sample.node = node;
  sample.at_ns = 1000 * kMs;
  sample.queues = std::move(queues);
  return sample;
}

BrokerSample of_process(Nanoseconds at, std::int64_t pid, Nanoseconds cpu) {
  BrokerSample sample;
  sample.source = "process";
  sample.node = "n1";
  sample.at_ns = at;
  sample.pid = pid;
  sample.cpu_ns = cpu;
  return sample;
}

class BrokerWatches : public testing::Test {
 protected:
  BrokerWatches()
      : source_(new FakeSource),
        watch_(std::unique_ptr<BrokerSource>(source_), "", 500 * kMs, {"a", "b"}, clock_) {}

  SimulatedClock clock_{1000 * kMs};
  FakeSource* source_;  // of the watch
  BrokerWatch watch_;
};

TEST_F(BrokerWatches, AsksInTheMiddleOfItsIntervalsWhateverDelaysIt) {
  watch_.tick(1000 * kMs);
  watch_.align(1200 * kMs);
  for (Nanoseconds now = 1000 * kMs; now <= 3000 * kMs; now += 17 * kMs) watch_.tick(now);
  EXPECT_EQ(source_->asked.size(), 5U) << "at once, and at 1450, 1950, 2450 and 2950 ms";
}

TEST_F(BrokerWatches, IsReadyWhenTheFirstRoundIsInOrTooLate) {
  EXPECT_FALSE(watch_.ready(1000 * kMs)) << "nobody has been asked";
  source_->owes = true;
  watch_.tick(1000 * kMs);
  EXPECT_FALSE(watch_.ready(1001 * kMs));
  EXPECT_TRUE(watch_.ready(12'000 * kMs))
      << "a broker that does not tell must not keep the run from beginning";
  source_->owes = false;
  EXPECT_TRUE(watch_.ready(1001 * kMs));
}

TEST_F(BrokerWatches, AddsUpTheQueuesOfARoundAndForgetsThemWithANodeThatIsGone) {
  source_->answers = {{of_node(0, "n1", {{0, 5, 1}}), of_node(0, "n2", {{1, 7, 2}})}};
  watch_.tick(1000 * kMs);
  EXPECT_EQ(watch_.figures().ready, 12);
  EXPECT_EQ(watch_.figures().unacked, 3);
  ASSERT_EQ(watch_.figures().queues.size(), 2U);
  EXPECT_EQ(watch_.figures().queues[1].name, "b");

  BrokerSample gone = of_node(1, "n2", {});
  gone.failed = "the node is not running";
  source_->answers = {{of_node(1, "n1", {{0, 6, 1}}), gone}, {of_node(2, "n1", {{0, 6, 1}})}};
  watch_.tick(1500 * kMs);
  watch_.tick(2000 * kMs);
  EXPECT_FALSE(watch_.figures().ready.has_value()) << "the half of it is not the sum";
  const Json evidence = watch_.evidence();
  EXPECT_EQ(evidence.at("samples").size(), 5U) << "every sample is kept, those without figures too";
  EXPECT_EQ(evidence.at("absent")[0].at("reason"), "no such plugin");
}

TEST_F(BrokerWatches, CpuIsOfOneProcessOnly) {
  source_->answers = {{of_process(1000 * kMs, 7, 100 * kMs)}, {of_process(2000 * kMs, 7, 850 * kMs)}};
  watch_.tick(1000 * kMs);
  watch_.tick(2000 * kMs);
  EXPECT_DOUBLE_EQ(watch_.figures().nodes.at(0).cpu_cores.value(), 0.75);
  source_->answers = {{of_process(3000 * kMs, 9, 900 * kMs)}};
  watch_.tick(3000 * kMs);
  EXPECT_FALSE(watch_.figures().nodes.at(0).cpu_cores.has_value());
}

TEST_F(BrokerWatches, TheMoreThereIsToAskTheRarerItAsks) {
  BrokerSample many = of_node(0, "n1", {{0, 5, 1}, {1, 7, 2}});
  many.connections = 498;
  many.channels = 500;
  source_->answers = {{}, {many}};
  watch_.tick(1000 * kMs);
  watch_.tick(1500 * kMs);
  for (Nanoseconds now = 1520 * kMs; now < 4400 * kMs; now += 20 * kMs) watch_.tick(now);
  EXPECT_EQ(source_->asked.size(), 3U) << "1000 things: every 2.5 s";
  EXPECT_EQ(watch_.evidence().at("interval_ns"), 2500 * kMs);
}

TEST(BrokerWatchWithoutASource, SaysWhyAndHoldsUpNobody) {
  const SimulatedClock clock;
  BrokerWatch watch(nullptr, "broker.watch.enabled is false", 500 * kMs, {"a"}, clock);
  watch.tick(0);
  EXPECT_TRUE(watch.ready(0));
  EXPECT_EQ(watch.evidence().at("absent")[0].at("reason"), "broker.watch.enabled is false");
}

TEST(NodeSources, ANodeThatIsNotThereIsAGapInEachRound) {
  FakeBroker broker;
  const SimulatedClock clock(kMs);
  NodeSource source(broker, "/", {"a"}, clock);
  source.ask(0);
  const auto samples = source.take();
  ASSERT_EQ(samples.size(), 6U) << "three nodes, of each its process and what it would have said";
  for (const BrokerSample& sample : samples) EXPECT_EQ(sample.failed, "the node is not running");
  EXPECT_FALSE(source.waiting());
  EXPECT_TRUE(broker.erlang.asked.empty());
}

}  // namespace
}  // namespace brokerlab
