#include <gtest/gtest.h>

#include <array>

#include "amqp/content_assembly.h"
#include "amqp/delivery.h"
#include "amqp/delivery_parser.h"
#include "amqp/field_table.h"
#include "amqp/frame.h"
#include "amqp/heartbeat.h"
#include "amqp/method_codec.h"
#include "amqp/properties.h"
#include "amqp/publish_template.h"
#include "core/error.h"
#include "wire_bytes.h"

namespace brokerlab::amqp {
namespace {

Bytes stamp_value(std::uint64_t run, unsigned publisher, unsigned hops, std::uint64_t sequence,
                  std::uint64_t intended, std::uint64_t sent) {
  return Wire().u64(run).u32(publisher).u32(hops).u64(sequence).u64(intended).u64(sent).bytes();
}

Bytes headers_with_stamp(const Bytes& stamp) {
  const auto entry = Wire().short_text("brokerlab-stamp").raw("x").u32(stamp.size()).raw(stamp).bytes();
  return Wire().u32(entry.size()).raw(entry).bytes();
}

TEST(PublishTemplate, WritesTheFramesOfASpecimenByteForByte) {
  Stamp stamp;
  stamp.run = 0x0102030405060708;
  stamp.publisher = 9;
  stamp.hops = 2;
  PublishTemplate message({"ex", "key", true}, {}, stamp);
  const std::string body = "hello";
  const auto body_bytes = std::as_bytes(std::span(body.data(), body.size()));
  Bytes out(message.wire_bytes(body.size(), 4096));
  message.write(out.data(), 7, {10, 11, 12}, body_bytes, 4096);

  const auto method = Wire().u16(60).u16(40).u16(0).short_text("ex").short_text("key").u8(1).bytes();
  const auto header = Wire()
                          .u16(60)
                          .u16(0)
                          .u64(5)
                          .u16(0x2000)
                          .raw(headers_with_stamp(stamp_value(stamp.run, 9, 2, 10, 11, 12)))
                          .bytes();
  EXPECT_EQ(out, frame(1, 7, method) + frame(2, 7, header) + frame(3, 7, Wire().raw(body).bytes()));

  message.set_routing_key("a.longer.key");
  message.set_hops(3);
  out.assign(message.wire_bytes(0, 4096), std::byte{});
  message.write(out.data(), 8, {20, 21, 22}, {}, 4096);
  const auto method2 =
      Wire().u16(60).u16(40).u16(0).short_text("ex").short_text("a.longer.key").u8(1).bytes();
  const auto header2 = Wire()
                           .u16(60)
                           .u16(0)
                           .u64(0)
                           .u16(0x2000)
                           .raw(headers_with_stamp(stamp_value(stamp.run, 9, 3, 20, 21, 22)))
                           .bytes();
  EXPECT_EQ(out, frame(1, 8, method2) + frame(2, 8, header2)) << "an empty body has no body frame";
}

TEST(PublishTemplate, SplitsBodiesAtTheFrameLimit) {
  PublishTemplate message({"", "q", false}, {}, std::nullopt);
  constexpr std::uint32_t kFrameMax = 4096;
  const std::size_t room = kFrameMax - 8;
  for (const auto& [size, frames] : {std::pair{room, 1}, std::pair{room + 1, 2}, std::pair{3 * room, 3}}) {
    const Bytes body(size, std::byte{'b'});
    Bytes out(message.wire_bytes(size, kFrameMax));
    message.write(out.data(), 1, {}, body, kFrameMax);
    std::size_t at = 0, found = 0, carried = 0;
    while (at < out.size()) {
      const auto header = FrameHeader::load(out.data() + at);
      EXPECT_LE(header.payload_bytes + 8, kFrameMax);
      if (header.type == 3) ++found, carried += header.payload_bytes;
      at += header.payload_bytes + 8;
      EXPECT_EQ(out[at - 1], kFrameEnd);
    }
    EXPECT_EQ(found, static_cast<std::size_t>(frames));
    EXPECT_EQ(carried, size);
  }
}

TEST(PublishTemplate, CarriesAnOriginAndRefusesAForeignStampHeader) {
  Stamp stamp;
  stamp.origin = Stamp::Origin{};
  PublishTemplate message({"", "q", true}, {}, stamp);
  message.set_origin({5, 6, 7});
  Bytes out(message.wire_bytes(0, 4096));
  message.write(out.data(), 1, {1, 2, 3}, {}, 4096);
  const auto method_bytes = FrameHeader::load(out.data()).payload_bytes + 8;
  const auto header = parse_content_header(
      std::span<const std::byte>(out).subspan(method_bytes + 7, out.size() - method_bytes - 8));
  ASSERT_TRUE(header.has_value());
  const auto decoded = Stamp::decode(header->stamp_bytes);
  ASSERT_TRUE(decoded && decoded->origin);
  EXPECT_EQ(decoded->origin->publisher, 5U);
  EXPECT_EQ(decoded->origin->sequence, 6U);
  EXPECT_EQ(decoded->origin->intended_ns, 7);
  Properties taken;
  taken.headers = {{"brokerlab-stamp", "mine"}};
  EXPECT_THROW(PublishTemplate({"", "q", true}, taken, stamp), Error);
  EXPECT_THROW(message.set_routing_key(std::string(256, 'k')), Error);
}

// Over the whole body, whatever the frames it travels in, and wherever the stamp lies in them.
TEST(PublishTemplate, BringsTheChecksumOfEachBody) {
  for (const bool with_origin : {false, true}) {
    Stamp stamp;
    if (with_origin) stamp.origin = Stamp::Origin{};
    stamp.verified = true;
    PublishTemplate message({"", "q", true}, {}, stamp);
    for (const std::size_t size : {0U, 1U, 100U, 4088U, 20'000U}) {
      message.set_routing_key(std::string(1 + size % 50, 'k'));
      const Bytes body(size, static_cast<std::byte>(size));
      Bytes out(message.wire_bytes(size, 4096));
      message.write(out.data(), 1, {1, 2, 3}, body, 4096);
      const auto method_bytes = FrameHeader::load(out.data()).payload_bytes + 8;
      const auto header_bytes = FrameHeader::load(out.data() + method_bytes).payload_bytes;
      const auto header =
          parse_content_header(std::span<const std::byte>(out).subspan(method_bytes + 7, header_bytes));
      ASSERT_TRUE(header.has_value());
      const auto decoded = Stamp::decode(header->stamp_bytes);
      ASSERT_TRUE(decoded);
      EXPECT_TRUE(decoded->verified);
      EXPECT_EQ(Stamp::checksum_in(header->stamp_bytes), body_checksum(body)) << size;
      EXPECT_EQ(decoded->sequence, 1U);
    }
  }
}

Bytes delivery_frames(int channel, std::string_view body, const Bytes& properties) {
  const auto method =
      Wire().u16(60).u16(60).short_text("ctag").u64(77).u8(1).short_text("ex").short_text("rk").bytes();
  const auto header = Wire().u16(60).u16(0).u64(body.size()).raw(properties).bytes();
  auto bytes = frame(1, channel, method) + frame(2, channel, header);
  if (!body.empty()) bytes = bytes + frame(3, channel, Wire().raw(body).bytes());
  return bytes;
}

TEST(DeliveryParser, FindsEverythingInPlace) {
  const auto stamp = stamp_value(1, 2, 3, 4, 5, 6);
  const auto properties = Wire().u16(0x2000).raw(headers_with_stamp(stamp)).bytes();
  const auto wire = delivery_frames(3, "payload", properties) + delivery_frames(3, "", properties);
  const auto whole = parse_whole_delivery(wire);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->channel, 3);
  EXPECT_EQ(whole->fields.consumer_tag, "ctag");
  EXPECT_EQ(whole->fields.delivery_tag, 77U);
  EXPECT_TRUE(whole->fields.redelivered);
  EXPECT_EQ(whole->fields.exchange, "ex");
  EXPECT_EQ(whole->fields.routing_key, "rk");
  EXPECT_EQ(Bytes(whole->body.begin(), whole->body.end()), Wire().raw("payload").bytes());
  EXPECT_EQ(Bytes(whole->header.stamp_bytes.begin(), whole->header.stamp_bytes.end()), stamp);
  const auto second = parse_whole_delivery(std::span<const std::byte>(wire).subspan(whole->bytes));
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(second->body.empty());
  EXPECT_EQ(whole->bytes + second->bytes, wire.size());
}

TEST(DeliveryParser, WantsEveryByteOfTheMessage) {
  const auto wire = delivery_frames(1, "payload", Wire().u16(0).bytes());
  for (std::size_t length = 0; length < wire.size(); ++length) {
    // A copy of exactly that length, so that a sanitizer sees a read beyond it.
    const Bytes part(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(parse_whole_delivery(part).has_value()) << length;
  }
}

TEST(DeliveryParser, SurvivesEveryChangedByte) {
  const auto properties = Wire()
                              .u16(0xE000)
                              .short_text("text/plain")
                              .short_text("gzip")
                              .raw(headers_with_stamp(stamp_value(1, 2, 3, 4, 5, 6)))
                              .bytes();
  const auto wire = delivery_frames(1, "payload", properties);
  for (std::size_t at = 0; at < wire.size(); ++at) {
    for (const unsigned value : {0x00U, 0x01U, 0x7FU, 0x80U, 0xFFU}) {
      Bytes changed = wire;
      changed[at] = static_cast<std::byte>(value);
      if (const auto whole = parse_whole_delivery(changed)) {
        EXPECT_LE(whole->bytes, changed.size());
        Content content;
        content.raw_properties = whole->header.raw_properties;
        try {
          content.properties();
        } catch (const Error&) {
        }
      }
    }
  }
}

TEST(DeliveryParser, FindsTheStampBehindOtherHeaders) {
  const auto stamp = stamp_value(1, 2, 3, 4, 5, 6);
  const auto nested = Wire().short_text("a").raw("S").long_text("deep").bytes();
  const auto entries = Wire()
                           .short_text("x-death")
                           .raw("A")
                           .u32(5 + nested.size())
                           .raw("F")
                           .u32(nested.size())
                           .raw(nested)
                           .short_text("n")
                           .raw("l")
                           .u64(1)
                           .short_text("b")
                           .raw("t")
                           .u8(1)
                           .short_text("v")
                           .raw("V")
                           .short_text("brokerlab-stamp")
                           .raw("x")
                           .u32(stamp.size())
                           .raw(stamp)
                           .bytes();
  const auto payload = Wire()
                           .u16(60)
                           .u16(0)
                           .u64(0)
                           .u16(0xA000)
                           .short_text("text/plain")
                           .u32(entries.size())
                           .raw(entries)
                           .bytes();
  const auto header = parse_content_header(payload);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(Bytes(header->stamp_bytes.begin(), header->stamp_bytes.end()), stamp);
}

TEST(MethodDecoder, TakesOnlyWhatABrokerMaySendAndOnlyWhole) {
  MethodDecoder decoder;
  const auto good = Wire().u16(50).u16(11).short_text("name").u32(3).u32(4).bytes();
  const auto method = decoder.decode(good);
  ASSERT_TRUE(method.has_value());
  EXPECT_EQ(method->id, static_cast<std::uint32_t>(AMQP_QUEUE_DECLARE_OK_METHOD));
  EXPECT_EQ(method->as<amqp_queue_declare_ok_t>().message_count, 3U);
  for (std::size_t length = 0; length < good.size(); ++length) {
    const Bytes part(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_FALSE(decoder.decode(part).has_value()) << length;
  }
  EXPECT_FALSE(decoder.decode(Wire().u16(50).u16(10).u16(0).short_text("q").u8(0).u32(0).bytes()).has_value())
      << "queue.declare";
  EXPECT_FALSE(decoder.decode(Wire().u16(99).u16(1).bytes()).has_value());
  const auto start = Wire()
                         .u16(10)
                         .u16(10)
                         .u8(0)
                         .u8(9)
                         .raw(nested_tables(4000))
                         .long_text("PLAIN")
                         .long_text("en_US")
                         .bytes();
  EXPECT_FALSE(decoder.decode(start).has_value()) << "tables too deep for librabbitmq's stack";
}

TEST(MethodNames, ReadAsInTheSpecification) {
  EXPECT_EQ(method_name(AMQP_QUEUE_DECLARE_METHOD), "queue.declare");
  EXPECT_EQ(method_name(AMQP_BASIC_GET_EMPTY_METHOD), "basic.get-empty");
  EXPECT_EQ(method_name(AMQP_CONNECTION_OPEN_OK_METHOD), "connection.open-ok");
  EXPECT_EQ(method_name(0), "");
  EXPECT_EQ(method_name(0x12345678), "");
}

TEST(ContentAssembly, RefusesWrongOrderAndTooMuch) {
  const auto method =
      Wire().u16(60).u16(60).short_text("c").u64(1).u8(0).short_text("").short_text("q").bytes();
  const auto header = [](std::uint64_t size) { return Wire().u16(60).u16(0).u64(size).u16(0).bytes(); };
  ContentAssembly assembly;
  EXPECT_FALSE(assembly.add_header(header(1)).ok());
  assembly.begin(kBasicDeliver, method);
  EXPECT_FALSE(assembly.add_body(Wire().u8(1).bytes()).ok());
  EXPECT_FALSE(assembly.add_header(header(std::uint64_t{1} << 40)).ok());
  EXPECT_FALSE(assembly.add_header(Wire().u16(60).u16(0).u64(1).bytes()).ok()) << "without flags";
  ASSERT_TRUE(assembly.add_header(header(3)).ok());
  EXPECT_FALSE(assembly.add_header(header(3)).ok());
  ASSERT_TRUE(assembly.add_body(Wire().raw("ab").bytes()).ok());
  EXPECT_FALSE(assembly.complete());
  EXPECT_FALSE(assembly.add_body(Wire().raw("cd").bytes()).ok());
  ASSERT_TRUE(assembly.add_body(Wire().raw("c").bytes()).ok());
  EXPECT_TRUE(assembly.complete());
}

TEST(Heartbeat, SendsWhenQuietAndMissesThePeerAfterTwoIntervals) {
  constexpr Nanoseconds kSecond = kNanosecondsPerSecond;
  Heartbeat heartbeat(10 * kSecond, 0);
  using Verdict = Heartbeat::Verdict;
  EXPECT_EQ(heartbeat.next_look(0), 5 * kSecond);
  EXPECT_EQ(heartbeat.look(5 * kSecond, 100, 100), Verdict::kQuiet);
  EXPECT_EQ(heartbeat.look(10 * kSecond, 100, 100), Verdict::kSend) << "we were silent";
  EXPECT_EQ(heartbeat.look(15 * kSecond, 100, 108), Verdict::kQuiet);
  EXPECT_EQ(heartbeat.look(25 * kSecond, 100, 116), Verdict::kQuiet) << "exactly two intervals";
  EXPECT_EQ(heartbeat.look(26 * kSecond, 100, 124), Verdict::kQuiet) << "suspicious: one more look";
  EXPECT_LT(heartbeat.next_look(26 * kSecond), 27 * kSecond);
  EXPECT_EQ(heartbeat.look(26 * kSecond + kSecond / 2, 100, 132), Verdict::kPeerMissing);
}

TEST(Heartbeat, APauseOfOursIsNotThePeersSilence) {
  constexpr Nanoseconds kSecond = kNanosecondsPerSecond;
  Heartbeat heartbeat(1 * kSecond, 0);
  using Verdict = Heartbeat::Verdict;
  EXPECT_EQ(heartbeat.look(kSecond, 10, 10), Verdict::kQuiet);
  EXPECT_NE(heartbeat.look(60 * kSecond, 10, 10), Verdict::kPeerMissing)
      << "stopped for a minute; the socket was not read yet";
  EXPECT_NE(heartbeat.look(61 * kSecond, 500, 10), Verdict::kPeerMissing);
}

}  // namespace
}  // namespace brokerlab::amqp
