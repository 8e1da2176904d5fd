#include "roles/onward_publisher.h"

#include <span>

#include "amqp/properties.h"

namespace brokerlab {

OnwardPublisher::OnwardPublisher(RecordingWriter& recording, const Setup& setup, OnwardCounts& counts)
    : recording_(recording),
      counts_(counts),
      run_(setup.run),
      publisher_(setup.publisher),
      position_(setup.position),
      route_(setup.route),
      with_origin_(make_template(setup, true)),
      without_origin_(make_template(setup, false)) {}

amqp::PublishTemplate OnwardPublisher::make_template(const Setup& setup, bool with_origin) const {
  amqp::Properties properties;
  properties.persistent = setup.publish.persistent;
  if (setup.json) properties.content_type = "application/json";
  Stamp stamp;
  stamp.run = run_;
  stamp.publisher = publisher_;
  if (with_origin) stamp.origin = Stamp::Origin{};
  return {{setup.publish.exchange, setup.publish.routing_key, setup.publish.mandatory}, properties, stamp};
}

void OnwardPublisher::publish(amqp::Channel& channel, const std::optional<Stamp>& cause,
                              std::string_view body, Nanoseconds now_ns) {
  amqp::PublishTemplate& message = cause ? with_origin_ : without_origin_;
  message.set_hops(cause ? cause->hops + 1 : 1);
  if (cause) {
    message.set_origin(
        cause->origin.value_or(Stamp::Origin{cause->publisher, cause->sequence, cause->intended_ns}));
  }
  PublishRecord& record = recording_.append_publish(
      {now_ns, now_ns, 0, static_cast<std::uint32_t>(sequence_), position_, route_, 0});
  const std::uint64_t number = channel.publish(message, {sequence_, now_ns, now_ns},
                                               std::as_bytes(std::span(body.data(), body.size())));
  if (number == 0) {
    record.outcome = kRefused;
    record.settled_ns = now_ns;
  } else {
    number_offset_ = number - sequence_;
    outstanding_.add(number, record);
    ++counts_.unsettled;
  }
  ++counts_.published;
  ++sequence_;
}

void OnwardPublisher::on_confirm(std::uint64_t number, bool multiple, bool acked, Nanoseconds now_ns) {
  outstanding_.settle(number, multiple, [&](PublishRecord& record) {
    record.settled_ns = now_ns;
    record.outcome |= acked ? kConfirmed : kNacked;
    ++(acked ? counts_.confirmed : counts_.nacked);
    --counts_.unsettled;
  });
}

void OnwardPublisher::on_undecided(std::uint64_t through) {
  outstanding_.settle(through, true, [&](PublishRecord&) { --counts_.unsettled; });
}

void OnwardPublisher::on_return(const amqp::Returned& returned) {
  const std::optional<Stamp> stamp = returned.stamp();
  if (!stamp || stamp->run != run_ || stamp->publisher != publisher_) return;
  PublishRecord* record = outstanding_.find(stamp->sequence + number_offset_);
  if (record == nullptr || record->sequence != static_cast<std::uint32_t>(stamp->sequence)) return;
  record->outcome |= kReturned;
  ++counts_.returned;
}

}  // namespace brokerlab
