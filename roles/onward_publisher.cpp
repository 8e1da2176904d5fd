#include "roles/onward_publisher.h"

#include <algorithm>
#include <span>

#include "amqp/properties.h"

namespace brokerlab {

RouteNumbers::RouteNumbers(const Json& assignment) {
  const Json routes = assignment.value("routes", Json::array());
  for (std::size_t i = 0; i < std::min<std::size_t>(routes.size(), kRouteUnlisted); ++i) {
    numbers_.emplace(std::pair(routes[i].at("exchange").get<std::string>(),
                               routes[i].at("routing_key").get<std::string>()),
                     static_cast<std::uint8_t>(i));
  }
}

std::uint8_t RouteNumbers::of(const std::string& exchange, const std::string& routing_key) const {
  const auto found = numbers_.find({exchange, routing_key});
  return found == numbers_.end() ? kRouteUnlisted : found->second;
}

OnwardPublisher::OnwardPublisher(RecordingWriter& recording, const Setup& setup, OnwardCounts& counts)
    : recording_(recording),
      counts_(counts),
      spec_(setup.spec),
      routes_(setup.routes),
      run_(setup.run),
      publisher_(setup.publisher),
      position_(setup.position) {
  for (const Output& output : spec_.outputs) {
    targets_.push_back({make_template(output, true), make_template(output, false)});
  }
}

amqp::PublishTemplate OnwardPublisher::make_template(const Output& output, bool with_origin,
                                                     const std::optional<std::string>& correlation_id) const {
  amqp::Properties properties;
  properties.correlation_id = correlation_id;
  properties.persistent = output.persistent;
  // What the rule hands on unread may be anything.
  const bool json = spec_.behaviour != "rule" || !spec_.set.is_null() || !spec_.when.is_null();
  if (json) properties.content_type = "application/json";
  Stamp stamp;
  stamp.run = run_;
  stamp.publisher = publisher_;
  if (with_origin) stamp.origin = Stamp::Origin{};
  stamp.verified = output.verify;
  return {{output.exchange, output.routing_key.value_or(""), output.mandatory}, properties, stamp};
}

const PublishRecord& OnwardPublisher::publish(const std::optional<Stamp>& cause, const Outgoing& message,
                                              Nanoseconds due_ns, Nanoseconds now_ns) {
  const Output& output = spec_.outputs.at(message.output);
  const std::string& key = output.routing_key ? *output.routing_key : message.routing_key;
  Target& target = targets_[message.output];
  amqp::PublishTemplate& frames = cause ? target.with_origin : target.without_origin;
  frames.set_routing_key(key);
  frames.set_hops(cause ? cause->hops + 1 : 1);
  if (cause) {
    frames.set_origin(
        cause->origin.value_or(Stamp::Origin{cause->publisher, cause->sequence, cause->intended_ns}));
  }
  PublishRecord& record = recording_.append_publish({due_ns, now_ns, 0, static_cast<std::uint32_t>(sequence_),
                                                     position_, routes_.of(output.exchange, key), 0});
  const std::uint64_t number =
      connection_->publish(*channel_, frames, {sequence_, due_ns, now_ns}, message.body, record);
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
  return record;
}

// The id is the asker's own, so that no two replies share their frames.
void OnwardPublisher::reply(const std::optional<Stamp>& cause, const Outgoing& message,
                            const std::optional<std::string>& correlation_id, Nanoseconds now_ns) {
  amqp::PublishTemplate frames =
      make_template(spec_.outputs.at(message.output), cause.has_value(), correlation_id);
  frames.set_routing_key(message.routing_key);
  frames.set_hops(cause ? cause->hops + 1 : 1);
  if (cause) {
    frames.set_origin(
        cause->origin.value_or(Stamp::Origin{cause->publisher, cause->sequence, cause->intended_ns}));
  }
  channel_->publish(frames, {sequence_, now_ns, now_ns},
                    std::as_bytes(std::span(message.body.data(), message.body.size())));
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
