#include <array>

#include "core/recording.h"

namespace brokerlab {
namespace {

constexpr std::array<std::string_view, kDeathReasons> kNames = {"none",   "rejected",       "expired",
                                                                "maxlen", "delivery_limit", "other"};

}  // namespace

std::string_view to_text(DeathReason reason) { return kNames[static_cast<std::size_t>(reason)]; }

DeathReason death_reason(std::string_view text) {
  for (std::size_t i = 1; i < kNames.size(); ++i)
    if (kNames[i] == text) return static_cast<DeathReason>(i);
  return DeathReason::kOther;
}

}  // namespace brokerlab
