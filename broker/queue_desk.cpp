#include "broker/queue_desk.h"

#include <chrono>
#include <utility>

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kOperationLimit = 5 * kNanosecondsPerSecond;
constexpr std::chrono::seconds kLongestWait{10};
constexpr std::size_t kLongestName = 255;  // bytes, as AMQP has it

QueueDesk::Answer no_queue(const std::string& queue) {
  return {QueueDesk::Outcome::kNoQueue, "there is no queue \"" + queue + "\""};
}

}  // namespace

QueueDesk::QueueDesk(amqp::Uri uri, amqp::TlsOptions tls) : uri_(std::move(uri)), tls_(std::move(tls)) {}

amqp::Session& QueueDesk::session() {
  if (!session_ || !session_->alive()) {
    session_.reset();
    session_ = std::make_unique<amqp::Session>(uri_, tls_, kOperationLimit);
  }
  return *session_;
}

void QueueDesk::connect() {
  const std::lock_guard lock(in_use_);
  session();
}

template <class Operation>
QueueDesk::Answer QueueDesk::attend(const std::string& queue, Operation operation) {
  if (queue.empty() || queue.size() > kLongestName) {
    return {Outcome::kRefused, "the name of a queue has 1 to 255 bytes"};
  }
  const std::unique_lock lock(in_use_, kLongestWait);
  if (!lock) return {Outcome::kBusy, "the gateway is busy; try again later"};
  amqp::Session* open = nullptr;
  try {
    open = &session();
    return operation(*open);
  } catch (const Error& error) {
    if (open == nullptr) return {Outcome::kAway, "the broker cannot be reached: " + error.summary()};
    if (open->alive()) return {Outcome::kRefused, error.summary()};
    return {Outcome::kAway,
            "the connection to the broker was lost, so the outcome is not known: " + error.summary()};
  }
}

QueueDesk::Answer QueueDesk::create(const std::string& queue) {
  return attend(queue, [&](amqp::Session& open) -> Answer {
    if (open.queue(queue)) return {Outcome::kDone, "queue \"" + queue + "\" was there already"};
    amqp::QueueDeclaration wanted;
    wanted.name = queue;
    open.declare(wanted);
    return {Outcome::kDone, "queue \"" + queue + "\" has been created"};
  });
}

QueueDesk::Answer QueueDesk::send(const std::string& queue, std::string_view message) {
  return attend(queue, [&](amqp::Session& open) -> Answer {
    if (!open.publish("", queue, {}, message)) return no_queue(queue);
    return {Outcome::kDone, "sent to queue \"" + queue + "\""};
  });
}

QueueDesk::Answer QueueDesk::receive(const std::string& queue) {
  return attend(queue, [&](amqp::Session& open) -> Answer {
    try {
      if (auto message = open.get(queue)) return {Outcome::kDone, std::move(message->body)};
      return {Outcome::kEmpty, "queue \"" + queue + "\" is empty"};
    } catch (const Error&) {
      if (open.alive() && !open.queue(queue)) return no_queue(queue);
      throw;
    }
  });
}

}  // namespace brokerlab
