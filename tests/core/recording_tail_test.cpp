#include "core/recording_tail.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <vector>

#include "core/random.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kNow = kNanosecondsPerSecond;

class Seen final : public RecordingTail::Listener {
 public:
  void on_publish(const PublishRecord& record) override { published.push_back(record.sequence); }
  void on_publish_over(const PublishRecord& record) override { publishes_over.push_back(record.sequence); }
  void on_delivery(const DeliveryRecord& record) override { delivered.push_back(record.sequence); }
  void on_delivery_over(const DeliveryRecord& record) override { deliveries_over.push_back(record.sequence); }

  std::vector<std::uint32_t> published, publishes_over, delivered, deliveries_over;
};

class RecordingTailTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(file_); }

  static PublishRecord publish(std::uint32_t sequence) {
    return {.intended_ns = 1,
            .sent_ns = 2,
            .settled_ns = 0,
            .sequence = sequence,
            .publisher = 0,
            .route = 0,
            .outcome = 0};
  }
  static DeliveryRecord delivery(std::uint32_t sequence) {
    DeliveryRecord record{};
    record.received_ns = 1;
    record.sequence = sequence;
    return record;
  }

  std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) / ("tail-" + std::to_string(::getpid()) + ".rec");
  Seen seen_;
};

TEST_F(RecordingTailTest, WaitsForAFileThatIsNotThereYet) {
  RecordingTail tail(file_);
  EXPECT_TRUE(tail.look(kNow, false, seen_));
  RecordingWriter writer(file_, Json::object());
  EXPECT_TRUE(tail.look(kNow, false, seen_));
  writer.append_publish(publish(0));
  EXPECT_TRUE(tail.look(kNow, false, seen_));
  EXPECT_EQ(seen_.published, std::vector<std::uint32_t>{0});
}

TEST_F(RecordingTailTest, TellsTheEndOfARecordOnceAndOnlyWhenItIsWhole) {
  RecordingWriter writer(file_, Json::object());
  PublishRecord& first = writer.append_publish(publish(0));
  PublishRecord& second = writer.append_publish(publish(1));
  writer.append_publish({1, 2, 0, 2, 0, 0, kRefused});
  RecordingTail tail(file_);
  tail.look(kNow, false, seen_);
  EXPECT_EQ(seen_.published, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(seen_.publishes_over, std::vector<std::uint32_t>{2});
  second.settled_ns = kNow - 100'000'000;
  first.settled_ns = kNow - 1;  // this very moment: its outcome may be under way
  tail.look(kNow, false, seen_);
  EXPECT_EQ(seen_.publishes_over, (std::vector<std::uint32_t>{2, 1}));
  tail.look(2 * kNow, false, seen_);
  tail.look(3 * kNow, false, seen_);
  EXPECT_EQ(seen_.publishes_over, (std::vector<std::uint32_t>{2, 1, 0}));
}

TEST_F(RecordingTailTest, WhatIsSettledByBeingSentIsOverWithItsWork) {
  RecordingWriter writer(file_, Json::object());
  DeliveryRecord automatic = delivery(0);
  automatic.settled_ns = automatic.received_ns;
  automatic.settlement = static_cast<std::uint8_t>(Settlement::kAutomatic);
  DeliveryRecord& at_work = writer.append_delivery(automatic);
  DeliveryRecord ignored = automatic;
  ignored.sequence = 1;
  ignored.flags = kIgnored;
  writer.append_delivery(ignored);
  RecordingTail tail(file_);
  tail.look(kNow, false, seen_);
  EXPECT_EQ(seen_.delivered, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(seen_.deliveries_over, std::vector<std::uint32_t>{1});
  at_work.done_ns = 5;
  tail.look(kNow, false, seen_);
  EXPECT_EQ(seen_.deliveries_over, (std::vector<std::uint32_t>{1, 0}));
}

// Through many chunks of both kinds, looked at again and again while they grow and are patched in any order.
TEST_F(RecordingTailTest, SeesEveryRecordOnceWhateverTheOrder) {
  constexpr std::uint32_t kRecords = 60'000;
  RecordingWriter writer(file_, Json::object());
  RecordingTail tail(file_);
  Random random(7);
  std::vector<PublishRecord*> open;
  std::vector<DeliveryRecord*> waiting;
  std::size_t settled = 0;
  for (std::uint32_t i = 0; i < kRecords; ++i) {
    open.push_back(&writer.append_publish(publish(i)));
    waiting.push_back(&writer.append_delivery(delivery(i)));
    if (i % 3 == 0) writer.append_event({});
    while (open.size() > 500 && random.below(3) != 0) {
      const std::size_t which = random.below(open.size());
      open[which]->settled_ns = 3;
      waiting[which]->settled_ns = 3;
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(which));
      ++settled;
    }
    if (random.below(2000) == 0) tail.look(kNow, false, seen_);
  }
  while (!tail.look(kNow, false, seen_)) {
  }
  EXPECT_EQ(seen_.publishes_over.size(), settled);
  for (PublishRecord* record : open) record->settled_ns = kNow + 5;
  for (DeliveryRecord* record : waiting) record->settled_ns = kNow + 5;
  writer.close();
  while (!tail.look(kNow, true, seen_)) {
  }
  for (auto* list : {&seen_.published, &seen_.publishes_over, &seen_.delivered, &seen_.deliveries_over}) {
    ASSERT_EQ(list->size(), kRecords);
    std::sort(list->begin(), list->end());
    for (std::uint32_t i = 0; i < kRecords; ++i) ASSERT_EQ((*list)[i], i);
  }
  EXPECT_EQ(tail.unfollowed(), 0u);
}

TEST_F(RecordingTailTest, AFileThatIsNoRecordingHasNothingToTell) {
  std::filesystem::create_directory(file_);
  RecordingTail tail(file_);
  EXPECT_TRUE(tail.look(kNow, true, seen_));
  EXPECT_TRUE(seen_.published.empty());
}

}  // namespace
}  // namespace brokerlab
