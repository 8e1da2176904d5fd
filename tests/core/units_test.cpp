#include "core/units.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace brokerlab {
namespace {

TEST(Units, ParsesDurations) {
  EXPECT_EQ(parse_duration("10s"), 10'000'000'000);
  EXPECT_EQ(parse_duration("5ms"), 5'000'000);
  EXPECT_EQ(parse_duration("250us"), 250'000);
  EXPECT_EQ(parse_duration("2m"), 120'000'000'000);
  EXPECT_EQ(parse_duration("1h"), 3'600'000'000'000);
  EXPECT_EQ(parse_duration("1.5s"), 1'500'000'000);
  EXPECT_EQ(parse_duration("0.1s"), 100'000'000);
  EXPECT_EQ(parse_duration("100ns"), 100);
  EXPECT_EQ(parse_duration("0"), 0);
  EXPECT_EQ(parse_duration("0s"), 0);
  EXPECT_EQ(parse_duration(Json(0.5)), 500'000'000);
  EXPECT_EQ(parse_duration(Json(3)), 3'000'000'000);
  EXPECT_EQ(parse_duration(Json("7ms")), 7'000'000);
}

TEST(Units, RefusesOtherDurations) {
  for (const char* text : {"", "10", "s", "-1s", "+1s", "1e3s", "10 s", "1,5s", "1.2.3s", ".5s", "10sec",
                           "1d", "nan", "infs", "99999999999999999999h"}) {
    EXPECT_THROW(parse_duration(text), Error) << text;
  }
  for (const Json& value : {Json(-1), Json(true), Json(nullptr), Json::array(), Json(1e300)}) {
    EXPECT_THROW(parse_duration(value), Error) << value;
  }
}

TEST(Units, ParsesSizes) {
  EXPECT_EQ(parse_size("100"), 100u);
  EXPECT_EQ(parse_size("12B"), 12u);
  EXPECT_EQ(parse_size("1KiB"), 1024u);
  EXPECT_EQ(parse_size("1kB"), 1000u);
  EXPECT_EQ(parse_size("4MiB"), 4u << 20);
  EXPECT_EQ(parse_size("1.5KiB"), 1536u);
  EXPECT_EQ(parse_size(Json(2048)), 2048u);
  EXPECT_EQ(parse_size(Json("2MB")), 2'000'000u);
  for (const char* text : {"", "KiB", "-1", "1K", "1 kB", "1kb", "1e3"}) {
    EXPECT_THROW(parse_size(text), Error) << text;
  }
  EXPECT_THROW(parse_size(Json(-4)), Error);
  EXPECT_THROW(parse_size(Json(false)), Error);
}

TEST(Units, FormatsDurations) {
  EXPECT_EQ(format_duration(0), "0 ns");
  EXPECT_EQ(format_duration(999), "999 ns");
  EXPECT_EQ(format_duration(1'234), "1.23 us");
  EXPECT_EQ(format_duration(275'400), "275 us");
  EXPECT_EQ(format_duration(999'700), "1 ms");
  EXPECT_EQ(format_duration(1'230'000), "1.23 ms");
  EXPECT_EQ(format_duration(12'400'000'000), "12.4 s");
  EXPECT_EQ(format_duration(90 * kNanosecondsPerSecond), "90 s");
  EXPECT_EQ(format_duration(1200 * kNanosecondsPerSecond), "20 min");
  EXPECT_EQ(format_duration(9000 * kNanosecondsPerSecond), "2.5 h");
  EXPECT_EQ(format_duration(-1'500'000), "-1.5 ms");
}

TEST(Units, FormatsBytesCountsAndRates) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1239), "1.21 KiB");
  EXPECT_EQ(format_bytes(3'565'158), "3.4 MiB");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(12'345'678), "12,345,678");
  EXPECT_EQ(format_rate(0), "0 /s");
  EXPECT_EQ(format_rate(9.333), "9.33 /s");
  EXPECT_EQ(format_rate(250), "250 /s");
  EXPECT_EQ(format_rate(12'345), "12.3 k/s");
  EXPECT_EQ(format_rate(2.5e6), "2.5 M/s");
}

}  // namespace
}  // namespace brokerlab
