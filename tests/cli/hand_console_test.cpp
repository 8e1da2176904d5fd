#include "cli/hand_console.h"

#include <gtest/gtest.h>

namespace brokerlab {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++times;
  return times;
}

TEST(WorkBar, FillsWithTheShareOfTheWork) {
  const std::string half = work_bar("receiver-0", 2'000'000'000, 4'000'000'000, 80);
  EXPECT_NE(half.find("receiver-0"), std::string::npos);
  EXPECT_NE(half.find(" 50 %  2.0 of 4.0 s"), std::string::npos);
  EXPECT_EQ(count(half, "━"), count(half, "─"));
  EXPECT_EQ(count(work_bar("r", 4'000'000'000, 4'000'000'000, 80), "─"), 0U);
}

TEST(WorkBar, FitsTheTerminal) {
  for (const int width : {60, 80, 200}) {
    const std::string bar = work_bar("receiver-0", 1'000'000'000, 3'000'000'000, width);
    // A cell of the bar is three bytes and one column.
    EXPECT_LE(bar.size() - 2 * (count(bar, "━") + count(bar, "─")), static_cast<std::size_t>(width));
  }
}

}  // namespace
}  // namespace brokerlab
