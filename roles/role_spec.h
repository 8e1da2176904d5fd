#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/distribution.h"
#include "core/json.h"
#include "core/profile.h"

namespace brokerlab {

enum class AckMode { kAuto, kManual, kMultiple };
enum class Otherwise { kAck, kIgnore, kNack, kRequeue, kDeadLetter };

struct ConsumeSpec {
  std::string queue;  // "{i}" becomes the number of the instance
  std::uint16_t prefetch = 0;
  AckMode ack = AckMode::kManual;
  std::uint32_t multiple = 1;         // acknowledge every so many with one frame
  std::optional<Nanoseconds> get_ns;  // poll with basic.get at this interval
  bool subscribe_after_load = false;
  Nanoseconds read_coalescing_ns = 0;
  std::optional<std::uint16_t> channel_prefetch;
  std::optional<double> rate_per_s;  // takes up no more messages than that
  std::uint32_t transaction = 0;     // commit after so many acknowledgements; 0: none
  std::optional<Nanoseconds> start_after_ns, start_every_ns;  // subscribe late, one instance after the other
  bool exclusive = false;
  std::optional<int> priority;
  Json arguments = Json::object();

  bool automatic() const { return ack == AckMode::kAuto; }
  // Deliveries that one frame acknowledges.
  std::size_t batch_limit() const {
    if (ack != AckMode::kMultiple) return 1;
    // The broker sends no more than the prefetch limit: a larger batch would only ever end by its timer.
    return prefetch > 0 && prefetch < multiple ? prefetch : multiple;
  }
  bool starts_late() const { return start_after_ns || start_every_ns; }
};

struct EffortSpec {
  enum class Kind { kNone, kSleep, kSpin };
  enum class Source { kSeconds, kDots, kPointer };
  Kind kind = Kind::kNone;
  Source source = Source::kSeconds;
  std::shared_ptr<const Distribution> seconds;
  std::shared_ptr<const Profile> profile;  // instead of `seconds`
  JsonPointer pointer;
  Nanoseconds scale_ns = kNanosecondsPerSecond;
};

// Where a role publishes to.
struct Output {
  std::string name;  // by which a behaviour knows it; "" for `publish`
  std::string exchange;
  std::optional<std::string> routing_key;  // nothing: the behaviour gives the key of each message
  bool mandatory = true;
  bool persistent = false;
  bool verify = false;  // a checksum of the body travels along
  bool reply = false;   // to the queue that the message names; a message that names none is not answered
};

// One entry of `roles` in an experiment file. A value; parsed once per process and shared by its instances.
struct RoleSpec {
  std::string role;
  std::uint32_t instances = 1;
  std::uint32_t processes = 1;
  std::uint32_t channels_per_connection = 1;
  ConsumeSpec consume;
  EffortSpec effort;
  Json when;  // JSON pointer -> value; null when every message is acted upon
  Json set;   // merge patch; null when the body is published as it came
  std::vector<Output> outputs;
  std::string behaviour = "rule";
  Json settings = Json::object();  // of the behaviour
  Otherwise otherwise = Otherwise::kAck;
  double nack_share = 0, requeue_share = 0;  // of messages that are delivered for the first time
  bool record_keys = false;  // the routing key of every delivery goes into the recording, as a hash

  bool replies() const;
  bool refuses() const { return nack_share > 0 || requeue_share > 0; }
  // True when a message is settled the moment it is received: no work, no look at the body, nothing
  // published.
  bool settles_at_once() const;
  // True when the bytes of the body matter to the role.
  bool looks_at_body() const;
  // The number of the output that a behaviour knows as `name`. Throws Error (kUsage) when the entry has none.
  std::size_t output(const std::string& name) const;

  // Accepts an entry that has passed the schema, with or without its defaults. Throws Error (kUsage) naming
  // the key.
  static RoleSpec from_json(const Json& entry);
};

}  // namespace brokerlab
