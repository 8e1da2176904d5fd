#include "core/ids.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "core/clock.h"
#include "core/error.h"

namespace brokerlab {
namespace {

TEST(RunId, LooksAsPromisedAndIsUnique) {
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 100; ++i) {
    const RunId id = RunId::make();
    EXPECT_TRUE(std::regex_match(id.text, std::regex("20\\d{6}-\\d{6}-[0-9a-f]{6}"))) << id.text;
    EXPECT_EQ(RunId::from_text(id.text).number, id.number);
    numbers.insert(id.number);
  }
  EXPECT_GE(numbers.size(), 99u);
}

TEST(RunId, NumbersSortAsTheTextsDo) {
  const RunId first = RunId::from_text("20261121-031355-ffffff");
  const RunId second = RunId::from_text("20261121-031356-000000");
  EXPECT_LT(first.number, second.number);
  EXPECT_LT(second.number, std::uint64_t{1} << 53);
  EXPECT_EQ(second.number - first.number, 1u);
}

TEST(RunId, RefusesOtherTexts) {
  for (const char* text :
       {"", "quickstart", "20261121-031355", "20261121-031355-A1B2C3", "20261121-031355-a1b2c3x",
        "20261341-031355-a1b2c3", "19990101-000000-a1b2c3", "../20261121-031355-a1b2c3"}) {
    EXPECT_THROW(RunId::from_text(text), Error) << text;
  }
}

TEST(Clock, MonotonicNeverGoesBack) {
  const MonotonicClock clock;
  Nanoseconds last = clock.now();
  EXPECT_GT(last, 0);
  for (int i = 0; i < 10000; ++i) {
    const Nanoseconds now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Clock, SimulatedMovesOnlyWhenTold) {
  SimulatedClock clock(5);
  EXPECT_EQ(clock.now(), 5);
  clock.advance(7);
  EXPECT_EQ(clock.now(), 12);
  clock.set(3);
  EXPECT_EQ(clock.now(), 3);
}

TEST(Clock, WallClockIsIso8601) {
  char buffer[32];
  EXPECT_TRUE(std::regex_match(WallClock::iso8601_now(buffer),
                               std::regex("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z")))
      << buffer;
}

}  // namespace
}  // namespace brokerlab
