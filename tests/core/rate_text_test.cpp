#include "core/rate_text.h"

#include <gtest/gtest.h>

namespace brokerlab {
namespace {

TEST(RateText, HasThreeDigitsWrittenOut) {
  EXPECT_EQ(format_whole_rate(0), "0/s");
  EXPECT_EQ(format_whole_rate(12.34), "12.3/s");
  EXPECT_EQ(format_whole_rate(999.4), "999/s");
  EXPECT_EQ(format_whole_rate(999.6), "1,000/s");
  EXPECT_EQ(format_whole_rate(-1'299.6), "-1,300/s");
  EXPECT_EQ(format_whole_rate(12'345'678), "12,300,000/s");
}

}  // namespace
}  // namespace brokerlab
