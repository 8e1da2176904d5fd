#include "loadgen/replies.h"

#include <optional>
#include <utility>

#include "amqp/consume_options.h"
#include "core/operation.h"
#include "core/stamp.h"

namespace brokerlab {

Replies::Replies(ChildRun& run, const Asker& asker, std::function<void()> on_last)
    : run_(run), asker_(asker), on_last_(std::move(on_last)) {}

void Replies::open(amqp::Channel& channel, amqp::Done done) {
  amqp::ConsumeOptions options;
  options.queue = kQueue;
  options.auto_ack = true;  // the broker takes nothing else here
  channel.consume(options, *this, [done = std::move(done)](const amqp::Outcome& outcome, const std::string&) {
    done(outcome);
  });
}

void Replies::asked(std::uint64_t sequence, Nanoseconds intended_ns, Nanoseconds sent_ns) {
  waiting_[sequence] = &run_.recording().append_event(
      begun_operation(OperationKind::kRequest, asker_.instance, intended_ns, sent_ns));
}

void Replies::on_delivery(const amqp::Delivery& delivery) {
  const std::optional<Stamp> stamp = delivery.stamp();
  const bool ours =
      stamp && stamp->run == asker_.run && stamp->origin && stamp->origin->publisher == asker_.publisher;
  const auto request = ours ? waiting_.find(stamp->origin->sequence) : waiting_.end();
  if (request == waiting_.end()) return;  // of somebody else, or a second reply
  end_operation(*request->second, delivery.received_ns, true);
  waiting_.erase(request);
  if (waiting_.empty()) on_last_();
}

void Replies::on_cancelled(const amqp::AmqpError&) { forget(); }

}  // namespace brokerlab
