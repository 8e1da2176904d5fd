#include <uv.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "amqp/connection.h"
#include "amqp/consume_options.h"
#include "amqp/declaration.h"
#include "amqp/properties.h"
#include "peer.h"

namespace brokerlab::bench {
namespace {

// Publishes in turns of the loop, as the load generator does: a loop that never returns could not recycle its
// buffers.
class Publisher : public amqp::ChannelListener {
 public:
  Publisher(const Task& task, const Clock& clock)
      : task_(task),
        clock_(clock),
        body_(task.body_bytes, std::byte{'b'}),
        message_({task.name, "key", false}, {}, Stamp{}) {}

  void begin(uv_loop_t* loop, amqp::Channel& channel, std::function<void()> done) {
    channel_ = &channel;
    done_ = std::move(done);
    uv_idle_init(loop, &turn_);
    turn_.data = this;
    go_on();
  }
  void on_writable() override { go_on(); }

 private:
  static constexpr int kPerTurn = 1000;

  void go_on() {
    uv_idle_start(&turn_, [](uv_idle_t* idle) { static_cast<Publisher*>(idle->data)->publish_some(); });
  }
  void publish_some() {
    const Nanoseconds now = clock_.now();
    for (int i = 0; i < kPerTurn && sent_ < task_.messages; ++i, ++sent_) {
      if (!channel_->writable()) {
        uv_idle_stop(&turn_);
        return;
      }
      channel_->publish(message_, {static_cast<std::uint64_t>(sent_), now, now}, body_);
    }
    if (sent_ < task_.messages) return;
    uv_idle_stop(&turn_);
    uv_close(reinterpret_cast<uv_handle_t*>(&turn_), nullptr);
    // Answered after the last message was taken.
    amqp::ExchangeDeclaration passive;
    passive.name = task_.name;
    passive.passive = true;
    channel_->declare(passive, [this](const amqp::Outcome&) { done_(); });
  }

  const Task& task_;
  const Clock& clock_;
  std::vector<std::byte> body_;
  amqp::PublishTemplate message_;
  amqp::Channel* channel_ = nullptr;
  std::function<void()> done_;
  uv_idle_t turn_{};
  std::int64_t sent_ = 0;
};

class Consumer : public amqp::DeliveryHandler {
 public:
  Consumer(const Task& task, amqp::Channel& channel, std::function<void()> done)
      : task_(task), channel_(channel), done_(std::move(done)) {}

  void on_delivery(const amqp::Delivery& delivery) override {
    if (const auto stamp = delivery.stamp()) sum_ += stamp->sequence;
    ++received_;
    if (task_.kind == Task::Kind::kConsumeAndAck && received_ % Task::kAckEvery == 0)
      channel_.ack(delivery.tag, true);
    if (received_ == task_.messages) done_();
  }
  void on_cancelled(const amqp::AmqpError& reason) override {
    std::fprintf(stderr, "%s\n", reason.describe().c_str());
    std::abort();
  }
  std::uint64_t sum() const { return sum_; }

 private:
  const Task& task_;
  amqp::Channel& channel_;
  std::function<void()> done_;
  std::int64_t received_ = 0;
  std::uint64_t sum_ = 0;
};

}  // namespace

void run_ours(const Task& task, Stopwatch& watch) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  const MonotonicClock clock{};
  amqp::ConnectionOptions options;
  options.uri = task.uri;
  options.read_coalescing_ns = task.coalescing_ns;
  amqp::Connection connection(&loop, clock, options);
  Publisher publisher(task, clock);
  std::unique_ptr<Consumer> consumer;
  std::string failure;
  bool done = false;
  const auto finish = [&] {
    watch.stop();
    done = true;
    connection.close(nullptr);
  };
  const auto fail = [&](const amqp::AmqpError& error) { failure = error.describe(), done = true; };
  connection.events().on_ended = fail;
  connection.open(
      [&] {
        auto& channel = connection.open_channel(&publisher);
        channel.qos(Task::kPrefetch, false, [&](const amqp::Outcome&) {
          watch.start();
          if (task.kind == Task::Kind::kPublish) return publisher.begin(&loop, channel, finish);
          consumer = std::make_unique<Consumer>(task, channel, finish);
          amqp::ConsumeOptions consume;
          consume.queue = task.name;
          consume.auto_ack = task.kind == Task::Kind::kConsume;
          channel.consume(consume, *consumer, nullptr);
        });
      },
      fail);
  while (!done) uv_run(&loop, UV_RUN_ONCE);
  uv_run(&loop, UV_RUN_DEFAULT);
  if (!failure.empty()) throw std::runtime_error(failure);
}

}  // namespace brokerlab::bench
