#include "core/outstanding_publishes.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "core/random.h"

namespace brokerlab {
namespace {

class Outstanding : public testing::Test {
 protected:
  void add(std::uint64_t number) {
    records_.push_back({});
    records_.back().sequence = static_cast<std::uint32_t>(number);
    outstanding_.add(number, records_.back());
  }
  std::vector<std::uint32_t> settle(std::uint64_t number, bool multiple = false) {
    std::vector<std::uint32_t> settled;
    outstanding_.settle(number, multiple, [&](PublishRecord& record) { settled.push_back(record.sequence); });
    return settled;
  }
  using Numbers = std::vector<std::uint32_t>;
  OutstandingPublishes outstanding_;
  std::deque<PublishRecord> records_;
};

TEST_F(Outstanding, SettlesOneOrAllUpToANumberAndEachOnce) {
  for (std::uint64_t n = 1; n <= 5; ++n) add(n);
  EXPECT_EQ(settle(3), (Numbers{3}));
  EXPECT_EQ(settle(3), Numbers{});
  EXPECT_EQ(settle(4, true), (Numbers{1, 2, 4}));
  EXPECT_EQ(settle(4, true), Numbers{});
  EXPECT_EQ(outstanding_.size(), 1U);
  EXPECT_EQ(settle(9), Numbers{});
  EXPECT_EQ(settle(9, true), (Numbers{5}));
  EXPECT_EQ(outstanding_.size(), 0U);
}

TEST_F(Outstanding, FindsOnlyWhatIsOpen) {
  add(7);
  add(8);
  EXPECT_EQ(outstanding_.find(7)->sequence, 7U);
  settle(7);
  EXPECT_EQ(outstanding_.find(7), nullptr);
  EXPECT_EQ(outstanding_.find(9), nullptr);
  EXPECT_EQ(outstanding_.find(0), nullptr);
}

TEST_F(Outstanding, NumbersMayLeaveGaps) {
  add(1);
  add(40);
  EXPECT_EQ(outstanding_.find(20), nullptr);
  EXPECT_EQ(settle(40), (Numbers{40}));
  EXPECT_EQ(settle(1), (Numbers{1}));
  add(100'000);
  EXPECT_EQ(settle(100'000, true), (Numbers{100'000}));
}

TEST_F(Outstanding, ForgetsTheOldestBeyondItsLimit) {
  outstanding_ = OutstandingPublishes(3);
  for (std::uint64_t n = 1; n <= 5; ++n) add(n);
  EXPECT_EQ(outstanding_.size(), 3U);
  EXPECT_EQ(outstanding_.find(2), nullptr);
  EXPECT_EQ(outstanding_.find(3)->sequence, 3U);
}

TEST_F(Outstanding, AgreesWithAMapInWhateverOrderTheBrokerAnswers) {
  Random random(1);
  std::map<std::uint64_t, int> open;
  std::uint64_t next = 1;
  for (int step = 0; step < 100'000; ++step) {
    if (open.size() < 500 && random.below(2) == 0) {
      next += random.below(50) == 0;  // now and then a number that was refused
      add(next);
      open[next++] = 1;
      continue;
    }
    const std::uint64_t number = next > 600 ? next - random.below(600) : random.below(next + 1);
    if (random.below(20) == 0) {
      const auto end = open.upper_bound(number);
      EXPECT_EQ(settle(number, true).size(), static_cast<std::size_t>(std::distance(open.begin(), end)));
      open.erase(open.begin(), end);
    } else {
      EXPECT_EQ(settle(number).size(), open.erase(number));
    }
    ASSERT_EQ(outstanding_.size(), open.size());
  }
}

}  // namespace
}  // namespace brokerlab
