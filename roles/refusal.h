#pragma once

#include <cstdint>
#include <string>

#include "core/recording.h"
#include "roles/role_spec.h"

namespace brokerlab {

// Which messages a role gives back or throws out although it has done its work. Pure: it depends on the
// message, not on who takes it, so that variants under comparison refuse the same ones.
class Refusal {
 public:
  Refusal(const RoleSpec& spec, std::uint64_t seed);

  // kAcked, kRequeued or kRejected. A message that was delivered before is always accepted: what is given
  // back comes to an end.
  Settlement of(std::uint32_t publisher, std::uint64_t sequence, bool redelivered) const;

 private:
  double nack_share_, requeue_share_;
  std::uint64_t seed_;
  std::string purpose_;
};

}  // namespace brokerlab
