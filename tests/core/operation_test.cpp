#include "core/operation.h"

#include <gtest/gtest.h>

namespace brokerlab {
namespace {

TEST(Operation, IsAnEventAndBack) {
  EventRecord event = begun_operation(OperationKind::kBind, 3, 100, 130);
  auto operation = Operation::of(event);
  ASSERT_TRUE(operation);
  EXPECT_EQ(operation->outcome, OperationOutcome::kUndecided);
  EXPECT_EQ(operation->intended_ns, 100);
  EXPECT_EQ(operation->started_ns, 130);
  EXPECT_EQ(operation->instance, 3U);
  end_operation(event, 190, true);
  operation = Operation::of(event);
  EXPECT_EQ(operation->outcome, OperationOutcome::kDone);
  EXPECT_EQ(operation->ended_ns, 190);
  EXPECT_EQ(to_text(operation->kind), "bind");
}

TEST(Operation, AFailureKeepsItsTimes) {
  EventRecord event = begun_operation(OperationKind::kConnectionOpen, 0, 50, 50);
  end_operation(event, 60, false);
  const auto operation = Operation::of(event);
  EXPECT_EQ(operation->outcome, OperationOutcome::kFailed);
  EXPECT_EQ(operation->intended_ns, 50);
  EXPECT_EQ(operation->ended_ns, 60);
}

TEST(Operation, EveryKindHasAName) {
  for (std::size_t kind = 0; kind < kOperationKinds; ++kind)
    EXPECT_FALSE(to_text(static_cast<OperationKind>(kind)).empty());
  EXPECT_EQ(to_text(OperationKind::kRequest), "request");
}

TEST(Operation, OtherEventsAreNone) {
  EXPECT_FALSE(Operation::of({1, 1, static_cast<std::uint32_t>(EventKind::kReconnect), 0, 0}));
  EXPECT_FALSE(Operation::of({1, 1, kFirstOperation + kOperationKinds, 0, 0}));
}

}  // namespace
}  // namespace brokerlab
