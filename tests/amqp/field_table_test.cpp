#include "amqp/field_table.h"

#include <gtest/gtest.h>

#include "amqp/properties.h"
#include "core/error.h"
#include "wire_bytes.h"

namespace brokerlab::amqp {
namespace {

TEST(FieldTable, RefusesDepthBeyondItsLimit) {
  EXPECT_NO_THROW(FieldTable::check(nested_tables(FieldTable::kDeepest - 1)));
  EXPECT_THROW(FieldTable::check(nested_tables(FieldTable::kDeepest)), Error);
  EXPECT_THROW(FieldTable::check(nested_tables(5000)), Error);
  Json deep = 1;
  for (int i = 0; i < 40; ++i) deep = Json{{"k", deep}};
  Properties properties;
  properties.headers = deep;
  EXPECT_THROW(properties.encode(), Error);
}

TEST(FieldTable, RefusesLengthsThatLie) {
  const std::vector<Bytes> lies{
      {},
      Wire().u16(0).bytes(),
      Wire().u32(1).bytes(),
      Wire().u32(0xFFFFFFFF).bytes(),
      Wire().u32(3).raw("abc").bytes(),                               // key longer than the table
      Wire().u32(8).short_text("k").raw("S").u32(100).u8(0).bytes(),  // string longer than the table
      Wire().u32(3).short_text("k").raw("?").bytes(),                 // unknown type
      Wire().u32(7).short_text("k").raw("F").u32(4).bytes(),          // inner table beyond the outer
      Wire().u32(4).short_text("k").raw("l").u8(0).bytes(),           // integer cut off
      // An inner table whose entry reaches beyond it, though not beyond the bytes that are there.
      Wire().u32(18).short_text("k").raw("F").u32(4).short_text("i").raw("l").u64(0).bytes(),
  };
  for (const auto& wire : lies) EXPECT_THROW(FieldTable::check(wire), Error);
}

TEST(FieldTable, EveryTypeOfTheGrammarReads) {
  struct Case {
    std::string type;
    Bytes value;
    Json reads;
  };
  const std::vector<Case> cases{
      {"t", Wire().u8(1).bytes(), true},
      {"b", Wire().u8(0xFF).bytes(), -1},
      {"B", Wire().u8(0xFF).bytes(), 255},
      {"s", Wire().u16(0xFFFF).bytes(), -1},
      {"u", Wire().u16(0xFFFF).bytes(), 65535},
      {"I", Wire().u32(0xFFFFFFFF).bytes(), -1},
      {"i", Wire().u32(0xFFFFFFFF).bytes(), 4294967295},
      {"l", Wire().u64(0xFFFFFFFFFFFFFFFF).bytes(), -1},
      {"f", Wire().u32(0x3F000000).bytes(), 0.5},
      {"d", Wire().u64(0x3FE0000000000000).bytes(), 0.5},
      {"D", Wire().u8(2).u32(150).bytes(), 1.5},
      {"T", Wire().u64(1700000000).bytes(), 1700000000},
      {"S", Wire().long_text("text").bytes(), "text"},
      {"S", Wire().long_text("\xFF").bytes(), Json::binary({255})},
      {"x", Wire().long_text("\x01\x02").bytes(), Json::binary({1, 2})},
      {"V", {}, nullptr},
      {"A", Wire().u32(2).raw("t").u8(1).bytes(), Json::array({true})},
      {"F", Wire().u32(4).short_text("k").raw("t").u8(0).bytes(), {{"k", false}}},
  };
  for (const auto& each : cases) {
    const auto entry = Wire().short_text("key").raw(each.type).raw(each.value).bytes();
    const auto wire = Wire().u16(0x2000).u32(entry.size()).raw(entry).bytes();
    EXPECT_EQ(Properties::decode(wire).headers, (Json{{"key", each.reads}})) << each.type;
  }
}

TEST(Properties, RoundTrip) {
  Properties properties;
  properties.content_type = "application/json";
  properties.content_encoding = "identity";
  properties.persistent = true;
  properties.priority = 9;
  properties.correlation_id = "c";
  properties.reply_to = "r";
  properties.expiration = "10";
  properties.message_id = "m";
  properties.timestamp = 1700000000;
  properties.type = "t";
  properties.user_id = "u";
  properties.app_id = "a";
  properties.headers = {
      {"list", {1, 2.5, "three", {{"four", false}}}}, {"none", nullptr}, {"bytes", Json::binary({0, 255})}};
  const auto decoded = Properties::decode(properties.encode());
  EXPECT_EQ(decoded.headers, properties.headers);
  EXPECT_EQ(decoded.content_type, properties.content_type);
  EXPECT_EQ(decoded.content_encoding, properties.content_encoding);
  EXPECT_TRUE(decoded.persistent);
  EXPECT_EQ(decoded.priority, properties.priority);
  EXPECT_EQ(decoded.correlation_id, properties.correlation_id);
  EXPECT_EQ(decoded.reply_to, properties.reply_to);
  EXPECT_EQ(decoded.expiration, properties.expiration);
  EXPECT_EQ(decoded.message_id, properties.message_id);
  EXPECT_EQ(decoded.timestamp, properties.timestamp);
  EXPECT_EQ(decoded.type, properties.type);
  EXPECT_EQ(decoded.user_id, properties.user_id);
  EXPECT_EQ(decoded.app_id, properties.app_id);
  properties.type = std::string(256, 'x');
  EXPECT_THROW(properties.encode(), Error);
  properties.type = "t";
  properties.headers = {{"big", std::uint64_t{1} << 63}};
  EXPECT_THROW(properties.encode(), Error);
}

TEST(Properties, RefuseCutOffBytes) {
  Properties properties;
  properties.content_type = "text/plain";
  properties.headers = {{"a", "b"}, {"n", 1}};
  properties.message_id = "m";
  const auto wire = properties.encode();
  for (std::size_t length = 0; length < wire.size(); ++length) {
    const Bytes part(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_THROW(Properties::decode(part), Error) << length;
  }
}

}  // namespace
}  // namespace brokerlab::amqp
