// What a node tells about itself, against what is known to be in it; and what asking costs.
#include "broker/node_reading.h"

#include <gtest/gtest.h>
#include <uv.h>

#include <thread>

#include "amqp/channel.h"
#include "amqp/connection.h"
#include "amqp/consume_options.h"
#include "amqp/session.h"
#include "broker/process_usage.h"
#include "broker/remote_reading.h"
#include "tests/broker/live/shared_broker.h"

namespace brokerlab {
namespace {

// Takes from a queue up to its prefetch, and acknowledges nothing.
class Hoarder final : public amqp::DeliveryHandler {
 public:
  Hoarder(const std::string& queue, std::uint16_t prefetch) : prefetch_(prefetch) {
    uv_loop_init(&loop_);
    amqp::ConnectionOptions options;
    options.uri = amqp::Uri::parse(SharedBroker::get().uri());
    connection_ = std::make_unique<amqp::Connection>(&loop_, clock_, options);
    connection_->open([this, queue] { open(queue); }, [](const amqp::AmqpError&) {});
    const Nanoseconds limit = clock_.now() + 20 * kNanosecondsPerSecond;
    while (taken_ < prefetch_ && clock_.now() < limit) uv_run(&loop_, UV_RUN_ONCE);
  }
  ~Hoarder() override {
    connection_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  Hoarder(const Hoarder&) = delete;
  Hoarder& operator=(const Hoarder&) = delete;

  void on_delivery(const amqp::Delivery&) override { ++taken_; }
  void on_cancelled(const amqp::AmqpError&) override {}
  int taken() const { return taken_; }

 private:
  void open(const std::string& queue) {
    channel_ = &connection_->open_channel(nullptr, [this, queue](const amqp::Outcome&) {
      channel_->qos(prefetch_, false, [](const amqp::Outcome&) {});
      amqp::ConsumeOptions options;
      options.queue = queue;
      channel_->consume(options, *this, [](const amqp::Outcome&, const std::string&) {});
    });
  }

  const std::uint16_t prefetch_;
  const MonotonicClock clock_;
  uv_loop_t loop_{};
  std::unique_ptr<amqp::Connection> connection_;
  amqp::Channel* channel_ = nullptr;
  int taken_ = 0;
};

class NodeReadings : public testing::Test {
 protected:
  NodeReadings() {
    session_.declare(amqp::QueueDeclaration{.name = kClassic});
    amqp::QueueDeclaration quorum{.name = kQuorum, .durable = true};
    quorum.arguments = {{"x-queue-type", "quorum"}};
    session_.declare(quorum);
  }
  ~NodeReadings() override {
    session_.remove_queue(kClassic);
    session_.remove_queue(kQuorum);
  }

  void fill(const std::string& queue, int messages) {
    for (int i = 0; i < messages; ++i) session_.publish("", queue, {}, "x");
  }
  BrokerSample ask() {
    const Nanoseconds asked = clock_.now();
    const std::string answer =
        SharedBroker::get().control().wait(0, NodeReading::question("/", {kClassic, "is not there", kQuorum}),
                                           clock_, 20 * kNanosecondsPerSecond);
    return NodeReading::sample(answer, asked, clock_.now());
  }

  static constexpr const char* kClassic = "reading \"><script>ü";
  static constexpr const char* kQuorum = "reading-quorum";
  const MonotonicClock clock_;
  amqp::Session session_{amqp::Uri::parse(SharedBroker::get().uri())};
};

TEST_F(NodeReadings, DepthsAreExactTheMomentTheyAreAsked) {
  fill(kClassic, 1000);
  fill(kQuorum, 150);
  const BrokerSample waiting = ask();
  ASSERT_EQ(waiting.queues.size(), 3U);
  EXPECT_EQ(waiting.queues[0].ready, 1000);
  EXPECT_EQ(waiting.queues[0].unacked, 0);
  EXPECT_EQ(waiting.queues[1].ready, 0) << "what is not there holds nothing";
  EXPECT_EQ(waiting.queues[2].ready, 150);
  EXPECT_EQ(waiting.lag_ns, 0);

  const Hoarder classic(kClassic, 100), quorum(kQuorum, 20);
  ASSERT_EQ(classic.taken(), 100);
  ASSERT_EQ(quorum.taken(), 20);
  const BrokerSample held = ask();
  ASSERT_EQ(held.queues.size(), 3U);
  EXPECT_EQ(held.queues[0].ready, 900);
  EXPECT_EQ(held.queues[0].unacked, 100);
  EXPECT_EQ(held.queues[2].ready, 130);
  EXPECT_EQ(held.queues[2].unacked, 20);
  EXPECT_GE(held.connections.value(), 3);
  EXPECT_GE(held.channels.value(), 2);
}

TEST_F(NodeReadings, TheNodeStampsItsAnswerByOurClock) {
  const Nanoseconds before = clock_.now();
  const BrokerSample sample = ask();
  EXPECT_GT(sample.at_ns, before) << "the instant of the question is only the bound for a foreign clock";
  EXPECT_LT(sample.at_ns + sample.within_ns, clock_.now());
}

TEST_F(NodeReadings, TellsMemoryAlarmsAndWhatItsProcessUses) {
  const auto usage = [] { return ProcessUsage::of(SharedBroker::get().nodes()[0].pid); };
  const auto first = usage();
  ASSERT_TRUE(first.has_value());
  const Nanoseconds from = clock_.now();
  fill(kClassic, 300);
  BrokerSample sample;
  for (int i = 0; i < 20; ++i) sample = ask();
  const auto second = usage();
  const auto cores =
      static_cast<double>(second->cpu_ns - first->cpu_ns) / static_cast<double>(clock_.now() - from);
  EXPECT_GT(cores, 0);
  EXPECT_LT(cores, static_cast<double>(std::thread::hardware_concurrency()));
  EXPECT_EQ(sample.cores, std::thread::hardware_concurrency());
  EXPECT_GT(second->resident_bytes, 30 << 20);
  // Two accounts of the same memory, one of them a second old.
  const double ratio =
      static_cast<double>(sample.memory_bytes.value()) / static_cast<double>(second->resident_bytes);
  EXPECT_GT(ratio, 0.5);
  EXPECT_LT(ratio, 2);
  EXPECT_GT(sample.memory_limit_bytes.value(), sample.memory_bytes.value());
  EXPECT_EQ(sample.memory_alarm, false);
  EXPECT_EQ(sample.disk_alarm, false);
  EXPECT_EQ(sample.connections_in_flow, 0);
  EXPECT_EQ(sample.connections_blocked, 0);
}

// The same over HTTP, where it takes the seconds that statistics take.
TEST_F(NodeReadings, TheManagementApiTellsTheSameLater) {
  fill(kClassic, 7);
  RemoteReading reading(SharedBroker::management(), {"/", {kQuorum, kClassic}, true, {}}, clock_);
  std::vector<BrokerSample> samples;
  EXPECT_TRUE(eventually([&] {
    samples = reading.read(0);
    // Of a node that has just booted there are no statistics yet.
    return samples.size() == 2 && samples[0].queues.size() == 2 && samples[1].memory_bytes &&
           samples[0].queues[0].ready + samples[0].queues[1].ready == 7;
  }));
  EXPECT_TRUE(reading.given_up().empty());
  ASSERT_EQ(samples.size(), 2U) << "the queues, and the node";
  EXPECT_EQ(samples[0].lag_ns, RemoteReading::kLag);
  EXPECT_GT(samples[1].memory_bytes.value(), 0);
  EXPECT_EQ(samples[1].memory_alarm, false);
}

}  // namespace
}  // namespace brokerlab
