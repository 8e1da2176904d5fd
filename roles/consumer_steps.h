#pragma once

#include <cstdint>
#include <string>

#include "amqp/delivery.h"
#include "core/child_run.h"
#include "core/recording.h"
#include "roles/behaviour.h"
#include "roles/role_spec.h"

namespace brokerlab {

// Tells the person who runs a role by hand what one consumer does, step by step; says nothing in an
// experiment. One loop; lives within its ChildRun.
class ConsumerSteps {
 public:
  ConsumerSteps(ChildRun& run, const RoleSpec& spec, std::string who, std::string queue);

  void waiting() const;
  void received(const amqp::Delivery& delivery, bool corrupted) const;
  // 0: for as long as it takes.
  void working(Nanoseconds for_ns) const;
  // Asks the behaviour for its remark only where somebody reads it.
  void done(const Behaviour& behaviour, Nanoseconds after_ns) const;
  void hop_limited(std::uint32_t limit) const;
  void published(const Outgoing& message) const;
  void confirmed(bool acked, std::size_t messages) const;
  void returned(const amqp::Returned& returned) const;
  void settled(Settlement settlement) const;
  void set_aside(Reaction::Verdict verdict, Settlement settlement) const;

 private:
  void say(const std::string& text, Json more = Json::object()) const;

  ChildRun& run_;
  const RoleSpec& spec_;
  std::string who_;
  std::string queue_;
};

}  // namespace brokerlab
