#include "loadgen/churned.h"

#include <utility>

#include "amqp/consume_options.h"
#include "amqp/declaration.h"

namespace brokerlab {
namespace {

amqp::Done answering(Churned::Answer answer) {
  return [answer = std::move(answer)](const amqp::Outcome& outcome) { answer(outcome.ok()); };
}

class ChurnedConnection final : public Churned {
 public:
  explicit ChurnedConnection(const Setup& setup)
      : connection_(setup.run.loop(), setup.run.clock(), options_of(setup)) {
    connection_.events().on_ended = [this](const amqp::AmqpError&) { lost_ = true; };
  }
  void open(Answer answer) override {
    connection_.open([answer] { answer(true); }, [answer](const amqp::AmqpError&) { answer(false); });
  }
  void close(Answer answer) override {
    connection_.close([this, answer = std::move(answer)] { answer(!lost_); });
  }

 private:
  // One that fails or is lost is a failure to be counted, not to be mended.
  static amqp::ConnectionOptions options_of(const Setup& setup) {
    amqp::ConnectionOptions options = amqp::RecordedConnection::options_of(setup.broker, setup.name, 0);
    options.reconnect.tries = 0;
    return options;
  }
  amqp::Connection connection_;
  bool lost_ = false;
};

class ChurnedChannel final : public Churned {
 public:
  explicit ChurnedChannel(amqp::Connection& connection) : connection_(connection) {}
  void open(Answer answer) override {
    channel_ = &connection_.open_channel(nullptr, answering(std::move(answer)));
  }
  void close(Answer answer) override {
    channel_->close([this, answer = std::move(answer)](const amqp::Outcome& outcome) {
      connection_.remove(*channel_);
      answer(outcome.ok());
    });
  }

 private:
  amqp::Connection& connection_;
  amqp::Channel* channel_ = nullptr;
};

class ChurnedQueue final : public Churned {
 public:
  ChurnedQueue(const Setup& setup, std::uint64_t number) : channel_(*setup.channel) {
    queue_.name = setup.spec.name_prefix + "churn-" + setup.name + "-" + std::to_string(number);
    queue_.durable = setup.spec.durable;
    queue_.exclusive = !queue_.durable;  // it goes with its connection, whatever becomes of the process
    queue_.arguments = setup.spec.arguments;
  }
  void open(Answer answer) override {
    channel_.declare(queue_,
                     [answer = std::move(answer)](const amqp::Outcome& outcome, const amqp::QueueStatus&) {
                       answer(outcome.ok());
                     });
  }
  void close(Answer answer) override {
    channel_.delete_queue(
        queue_.name, false, false,
        [answer = std::move(answer)](const amqp::Outcome& outcome, std::uint32_t) { answer(outcome.ok()); });
  }

 private:
  amqp::Channel& channel_;
  amqp::QueueDeclaration queue_;
};

class ChurnedBinding final : public Churned {
 public:
  ChurnedBinding(const Setup& setup, std::uint64_t number) : channel_(*setup.channel) {
    binding_.source = setup.spec.exchange;
    binding_.destination = setup.spec.queue;
    binding_.routing_key = "churn-" + setup.name + "-" + std::to_string(number);
  }
  void open(Answer answer) override { channel_.bind(binding_, answering(std::move(answer))); }
  void close(Answer answer) override { channel_.unbind(binding_, answering(std::move(answer))); }

 private:
  amqp::Channel& channel_;
  amqp::BindingDeclaration binding_;
};

// Whatever is delivered to it goes back: the churn is not to take part in the traffic.
class ChurnedConsumer final : public Churned, private amqp::DeliveryHandler {
 public:
  ChurnedConsumer(const Setup& setup, std::uint64_t number) : channel_(*setup.channel) {
    options_.queue = setup.spec.queue;
    options_.consumer_tag = "churn-" + setup.name + "-" + std::to_string(number);
  }
  void open(Answer answer) override {
    channel_.consume(options_, *this,
                     [answer = std::move(answer)](const amqp::Outcome& outcome, const std::string&) {
                       answer(outcome.ok());
                     });
  }
  void close(Answer answer) override {
    channel_.cancel(options_.consumer_tag, [this, answer = std::move(answer)](const amqp::Outcome& outcome) {
      answer(outcome.ok() && !cancelled_);
    });
  }

 private:
  void on_delivery(const amqp::Delivery& delivery) override { channel_.reject(delivery.tag, true); }
  void on_cancelled(const amqp::AmqpError&) override { cancelled_ = true; }

  amqp::Channel& channel_;
  amqp::ConsumeOptions options_;
  bool cancelled_ = false;
};

}  // namespace

std::unique_ptr<Churned> Churned::make(const Setup& setup, std::uint64_t number) {
  switch (setup.spec.kind) {
    case ChurnSpec::Kind::kConnection:
      return std::make_unique<ChurnedConnection>(setup);
    case ChurnSpec::Kind::kChannel:
      return std::make_unique<ChurnedChannel>(*setup.connection);
    case ChurnSpec::Kind::kQueue:
      return std::make_unique<ChurnedQueue>(setup, number);
    case ChurnSpec::Kind::kBinding:
      return std::make_unique<ChurnedBinding>(setup, number);
    case ChurnSpec::Kind::kConsumer:
      break;
  }
  return std::make_unique<ChurnedConsumer>(setup, number);
}

}  // namespace brokerlab
