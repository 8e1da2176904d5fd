#include "core/stamp.h"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string_view>

namespace brokerlab {
namespace {

TEST(Stamp, HasTheDocumentedBytes) {
  const Stamp stamp{.run = 0x0102030405060708,
                    .publisher = 0x11121314,
                    .hops = 0x21222324,
                    .sequence = 0x3132333435363738,
                    .intended_ns = 0x4142434445464748,
                    .sent_ns = -2,
                    .origin = {},
                    .verified = false};
  std::array<std::byte, Stamp::kMostBytes> bytes{};
  ASSERT_EQ(stamp.encode(bytes), Stamp::kBytes);
  const std::array<int, Stamp::kBytes> expected{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x11, 0x12,
                                                0x13, 0x14, 0x21, 0x22, 0x23, 0x24, 0x31, 0x32, 0x33, 0x34,
                                                0x35, 0x36, 0x37, 0x38, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46,
                                                0x47, 0x48, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(static_cast<int>(bytes[i]), expected[i]) << i;
  }
}

TEST(Stamp, ComesBackWithAndWithoutOrigin) {
  Stamp stamp{.run = UINT64_MAX,
              .publisher = 7,
              .hops = 2,
              .sequence = std::uint64_t{1} << 40,
              .intended_ns = 123456789,
              .sent_ns = 123456999,
              .origin = {},
              .verified = false};
  std::array<std::byte, Stamp::kMostBytes> bytes{};
  for (const bool with_origin : {false, true}) {
    if (with_origin) {
      stamp.origin = Stamp::Origin{.publisher = 3, .sequence = 99, .intended_ns = -5};
    }
    const auto decoded = Stamp::decode(std::span(bytes).first(stamp.encode(bytes)));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->run, stamp.run);
    EXPECT_EQ(decoded->publisher, stamp.publisher);
    EXPECT_EQ(decoded->hops, stamp.hops);
    EXPECT_EQ(decoded->sequence, stamp.sequence);
    EXPECT_EQ(decoded->intended_ns, stamp.intended_ns);
    EXPECT_EQ(decoded->sent_ns, stamp.sent_ns);
    EXPECT_FALSE(decoded->verified);
    ASSERT_EQ(decoded->origin.has_value(), with_origin);
    if (with_origin) {
      EXPECT_EQ(decoded->origin->publisher, 3u);
      EXPECT_EQ(decoded->origin->sequence, 99u);
      EXPECT_EQ(decoded->origin->intended_ns, -5);
    }
  }
}

TEST(Stamp, CarriesTheChecksumAsItsLastWord) {
  Stamp stamp;
  stamp.verified = true;
  std::array<std::byte, Stamp::kMostBytes> bytes{};
  for (const std::size_t expected : {std::size_t{44}, std::size_t{68}}) {
    const std::size_t size = stamp.encode(bytes);
    ASSERT_EQ(size, expected);
    for (int i = 0; i < 4; ++i) bytes[size - 4 + static_cast<std::size_t>(i)] = static_cast<std::byte>(i + 1);
    const auto decoded = Stamp::decode(std::span(bytes).first(size));
    ASSERT_TRUE(decoded);
    EXPECT_TRUE(decoded->verified);
    EXPECT_EQ(Stamp::checksum_in(std::span(bytes).first(size)), 0x01020304U);
    EXPECT_EQ(decoded->origin.has_value(), stamp.origin.has_value());
    stamp.origin = Stamp::Origin{};
  }
}

TEST(Stamp, ChecksumIsTheOneOfZlib) {
  const std::string_view check = "123456789";
  EXPECT_EQ(body_checksum(std::as_bytes(std::span(check))), 0xcbf43926U) << "the check value of CRC-32";
  EXPECT_EQ(body_checksum({}), 0U);
}

TEST(Stamp, RefusesEveryOtherSize) {
  const std::array<std::byte, 100> bytes{};
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const bool accepted = Stamp::decode(std::span(bytes).first(size)).has_value();
    const bool known = size == 40 || size == 44 || size == 64 || size == 68;
    EXPECT_EQ(accepted, known) << size;
  }
}

}  // namespace
}  // namespace brokerlab
