#include "roles/refusal.h"

#include "core/random.h"

namespace brokerlab {

Refusal::Refusal(const RoleSpec& spec, std::uint64_t seed)
    : nack_share_(spec.nack_share),
      requeue_share_(spec.requeue_share),
      seed_(seed),
      purpose_("refusals of " + spec.role) {}

Settlement Refusal::of(std::uint32_t publisher, std::uint64_t sequence, bool redelivered) const {
  if (redelivered || nack_share_ + requeue_share_ <= 0) return Settlement::kAcked;
  const double drawn = Random(seed_, purpose_, (std::uint64_t{publisher} << 40) ^ sequence).uniform();
  if (drawn < requeue_share_) return Settlement::kRequeued;
  return drawn < requeue_share_ + nack_share_ ? Settlement::kRejected : Settlement::kAcked;
}

}  // namespace brokerlab
