#include "loadgen/replies.h"

#include <charconv>
#include <utility>

#include "amqp/consume_options.h"
#include "amqp/properties.h"
#include "core/error.h"
#include "core/operation.h"

namespace brokerlab {
namespace {

// Nothing where the properties are not as AMQP wants them.
std::string correlation_id(const amqp::Delivery& delivery) try {
  return delivery.properties().correlation_id.value_or("");
} catch (const Error&) {
  return "";
}

}  // namespace

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

// The sequence of the request.
std::optional<std::uint64_t> Replies::answered_by(const amqp::Delivery& delivery,
                                                  const std::optional<Stamp>& stamp) const {
  if (stamp && stamp->origin) {
    const bool ours = stamp->run == asker_.run && stamp->origin->publisher == asker_.publisher;
    return ours ? std::optional(stamp->origin->sequence) : std::nullopt;
  }
  const std::string id = correlation_id(delivery);
  std::uint64_t sequence = 0;
  const char* end = id.data() + id.size();
  const auto read = std::from_chars(id.data(), end, sequence);
  return read.ec == std::errc() && read.ptr == end ? std::optional(sequence) : std::nullopt;
}

void Replies::on_delivery(const amqp::Delivery& delivery) {
  const std::optional<Stamp> stamp = delivery.stamp();
  const auto sequence = answered_by(delivery, stamp);
  const auto request = sequence ? waiting_.find(*sequence) : waiting_.end();
  if (request == waiting_.end()) return;  // of somebody else, or a second reply
  // An answer that was altered on its way is none.
  const bool intact =
      !stamp || !stamp->verified || Stamp::checksum_in(delivery.stamp_bytes) == body_checksum(delivery.body);
  end_operation(*request->second, delivery.received_ns, intact);
  waiting_.erase(request);
  if (waiting_.empty()) on_last_();
}

void Replies::on_cancelled(const amqp::AmqpError&) { forget(); }

}  // namespace brokerlab
