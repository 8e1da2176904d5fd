#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "amqp/channel.h"
#include "amqp/publish_template.h"
#include "core/outstanding_publishes.h"
#include "core/recording.h"
#include "core/stamp.h"
#include "roles/role_spec.h"

namespace brokerlab {

// What the consumers of one process have published onward.
struct OnwardCounts {
  std::uint64_t published = 0, confirmed = 0, returned = 0, nacked = 0, unsettled = 0;
};

// Publishes what a role makes of a message, on the consumer's own channel: the broker sees the publish before
// the acknowledgement that follows it, so a role that dies between the two cannot lose the message. One loop.
class OnwardPublisher {
 public:
  struct Setup {
    const PublishOnward& publish;
    bool json;  // what goes on is JSON
    std::uint64_t run;
    std::uint32_t publisher;
    std::uint16_t position;  // in the assignment's instances
    std::uint8_t route;
  };

  OnwardPublisher(RecordingWriter& recording, const Setup& setup, OnwardCounts& counts);

  // `cause`: the stamp of the message that caused it; nothing for a message of somebody else. Only while
  // `channel` is writable.
  void publish(amqp::Channel& channel, const std::optional<Stamp>& cause, std::string_view body,
               Nanoseconds now_ns);

  void on_confirm(std::uint64_t number, bool multiple, bool acked, Nanoseconds now_ns);
  void on_undecided(std::uint64_t through);
  void on_return(const amqp::Returned& returned);

  std::size_t outstanding() const { return outstanding_.size(); }

 private:
  amqp::PublishTemplate make_template(const Setup& setup, bool with_origin) const;

  RecordingWriter& recording_;
  OnwardCounts& counts_;
  std::uint64_t run_;
  std::uint32_t publisher_;
  std::uint16_t position_;
  std::uint8_t route_;
  amqp::PublishTemplate with_origin_;
  amqp::PublishTemplate without_origin_;
  OutstandingPublishes outstanding_;
  std::uint64_t sequence_ = 0;
  std::uint64_t number_offset_ = 1;  // publish number - sequence
};

}  // namespace brokerlab
