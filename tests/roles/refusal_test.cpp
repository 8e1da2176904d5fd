#include "roles/refusal.h"

#include <gtest/gtest.h>

namespace brokerlab {
namespace {

Refusal refusal(double nack, double requeue, std::uint64_t seed = 1) {
  RoleSpec spec;
  spec.role = "worker";
  spec.nack_share = nack;
  spec.requeue_share = requeue;
  return {spec, seed};
}

TEST(Refusal, TakesItsSharesOfTheMessages) {
  const Refusal some = refusal(0.2, 0.3);
  int nacked = 0, requeued = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    nacked += some.of(3, i, false) == Settlement::kRejected ? 1 : 0;
    requeued += some.of(3, i, false) == Settlement::kRequeued ? 1 : 0;
  }
  EXPECT_NEAR(nacked, 2000, 150);
  EXPECT_NEAR(requeued, 3000, 150);
}

TEST(Refusal, FollowsTheMessageAndTheSeed) {
  const Refusal half = refusal(0, 0.5), same = refusal(0, 0.5), other = refusal(0, 0.5, 2);
  int differs = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(half.of(1, i, false), same.of(1, i, false));
    differs += half.of(1, i, false) != other.of(1, i, false) ? 1 : 0;
  }
  EXPECT_GT(differs, 300);
}

TEST(Refusal, WhatComesAgainIsAccepted) {
  EXPECT_EQ(refusal(0, 1).of(1, 1, false), Settlement::kRequeued);
  EXPECT_EQ(refusal(0, 1).of(1, 1, true), Settlement::kAcked);
  EXPECT_EQ(refusal(1, 0).of(1, 1, true), Settlement::kAcked);
  EXPECT_EQ(refusal(0, 0).of(1, 1, false), Settlement::kAcked);
}

}  // namespace
}  // namespace brokerlab
