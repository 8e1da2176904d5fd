#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "amqp/channel.h"
#include "amqp/publish_template.h"
#include "amqp/recorded_connection.h"
#include "core/json.h"
#include "core/outstanding_publishes.h"
#include "core/recording.h"
#include "core/stamp.h"
#include "roles/behaviour.h"
#include "roles/role_spec.h"

namespace brokerlab {

// What the consumers of one process have published onward.
struct OnwardCounts {
  std::uint64_t published = 0, confirmed = 0, returned = 0, nacked = 0, unsettled = 0;
};

// The numbers of (exchange, routing key) pairs in the assignment's list of routes.
class RouteNumbers {
 public:
  explicit RouteNumbers(const Json& assignment);
  std::uint8_t of(const std::string& exchange, const std::string& routing_key) const;

 private:
  std::map<std::pair<std::string, std::string>, std::uint8_t> numbers_;
};

// Publishes what a role makes of a message, on the consumer's own channel: the broker sees the publish before
// the acknowledgement that follows it, so a role that dies between the two cannot lose the message. One loop.
class OnwardPublisher {
 public:
  struct Setup {
    const RoleSpec& spec;
    const RouteNumbers& routes;
    std::uint64_t run;
    std::uint32_t publisher;
    std::uint16_t position;  // in the assignment's instances
  };

  OnwardPublisher(RecordingWriter& recording, const Setup& setup, OnwardCounts& counts);

  // Where it publishes from now on; before the first publish.
  void use(amqp::RecordedConnection& connection, amqp::Channel& channel) {
    connection_ = &connection;
    channel_ = &channel;
  }

  // `cause`: the stamp of the message that caused it; nothing for a message of somebody else. `due_ns`: the
  // work was done, so that a wait for the channel counts as latency. Only while the channel is writable. The
  // record tells what becomes of it.
  const PublishRecord& publish(const std::optional<Stamp>& cause, const Outgoing& message, Nanoseconds due_ns,
                               Nanoseconds now_ns);

  // The same to a queue that is only the asker's own: no copy of it can be accounted for, so that it stands
  // in no record. The asker tells whether it came, and knows it by its own `correlation_id`.
  void reply(const std::optional<Stamp>& cause, const Outgoing& message,
             const std::optional<std::string>& correlation_id, Nanoseconds now_ns);

  void on_confirm(std::uint64_t number, bool multiple, bool acked, Nanoseconds now_ns);
  void on_undecided(std::uint64_t through);
  void on_return(const amqp::Returned& returned);

  std::size_t outstanding() const { return outstanding_.size(); }

 private:
  struct Target {
    amqp::PublishTemplate with_origin;
    amqp::PublishTemplate without_origin;
  };

  amqp::PublishTemplate make_template(const Output& output, bool with_origin,
                                      const std::optional<std::string>& correlation_id = {}) const;

  RecordingWriter& recording_;
  OnwardCounts& counts_;
  const RoleSpec& spec_;
  const RouteNumbers& routes_;
  std::uint64_t run_;
  std::uint32_t publisher_;
  std::uint16_t position_;
  std::vector<Target> targets_;  // parallel to the role's outputs
  OutstandingPublishes outstanding_;
  amqp::RecordedConnection* connection_ = nullptr;
  amqp::Channel* channel_ = nullptr;
  std::uint64_t sequence_ = 0;
  std::uint64_t number_offset_ = 1;  // publish number - sequence
};

}  // namespace brokerlab
