// What a broken, hostile or foreign peer does on a real socket: every attack ends in a clear error, in
// bounded time and memory. HostileBroker fails a test whose client does not give up.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "amqp/session.h"
#include "core/error.h"
#include "hostile_broker.h"

namespace brokerlab::amqp {
namespace {

using testing::HasSubstr;
using Peer = HostileBroker::Peer;

// Long enough for a crowded machine: only a peer that says nothing makes a client wait for so long.
constexpr Nanoseconds kPatience = 1'500'000'000;
constexpr Nanoseconds kShortPatience = 300'000'000;

struct Attack {
  std::string name;
  HostileBroker::Script script;
  std::string says;  // the error names this
};

// Connects and asks for a queue; the error that ends it.
std::optional<Error> end_of(const Uri& uri, Nanoseconds patience = kPatience) {
  try {
    Session session(uri, {}, patience);
    session.queue("q");
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

void expect_all_end(const std::vector<Attack>& attacks, Nanoseconds patience = kPatience) {
  for (const Attack& attack : attacks) {
    SCOPED_TRACE(attack.name);
    const HostileBroker broker(attack.script);
    const auto error = end_of(broker.uri(), patience);
    ASSERT_TRUE(error.has_value());
    EXPECT_THAT(error->summary(), HasSubstr(attack.says));
    EXPECT_THAT(error->where(), HasSubstr(std::to_string(broker.uri().port)));
    EXPECT_FALSE(error->remedy().empty());
    for (const char letter : error->summary()) {
      EXPECT_GE(static_cast<unsigned char>(letter), 0x20) << "a peer's words reach no terminal as commands";
    }
  }
}

Bytes method(int channel, unsigned class_id, unsigned id, const Bytes& arguments = {}) {
  return frame(1, channel, Wire().u16(class_id).u16(id).raw(arguments).bytes());
}
Bytes start_with(const Bytes& table) {
  return method(0, 10, 10, Wire().u8(0).u8(9).raw(table).long_text("PLAIN").long_text("en_US").bytes());
}
Bytes tune_to(unsigned channels, std::uint64_t frame_max) {
  return method(0, 10, 30, Wire().u16(channels).u32(frame_max).u16(0).bytes());
}
Bytes close_with(const std::string& words) {
  return method(0, 10, 50, Wire().u16(320).short_text(words).u16(0).u16(0).bytes());
}
Bytes deliver(int channel) {
  return method(channel, 60, 60, Wire().short_text("t").u64(1).u8(0).short_text("").short_text("q").bytes());
}
Bytes content_header(std::uint64_t body_bytes) {
  return frame(2, 1, Wire().u16(60).u16(0).u64(body_bytes).u16(0).bytes());
}
Bytes first_half(Bytes bytes) {
  bytes.resize(bytes.size() / 2);
  return bytes;
}

TEST(HostilePeer, SilenceAtEachStage) {
  expect_all_end(
      {
          {"before start", [](Peer& peer) { peer.fall_silent(); }, "connection.start"},
          {"before tune", [](Peer& peer) { peer.greet(), peer.fall_silent(); }, "connection.tune"},
          {"before open-ok", [](Peer& peer) { peer.greet(), peer.tune(), peer.fall_silent(); },
           "connection.open-ok"},
          {"before the channel",
           [](Peer& peer) { peer.greet(), peer.tune(), peer.open(), peer.fall_silent(); }, "did not answer"},
          {"before the answer", [](Peer& peer) { peer.open_channel(), peer.fall_silent(); },
           "did not answer"},
          {"deaf, too", [](Peer& peer) { peer.open_channel(), peer.fall_deaf(); }, "did not answer"},
          {"heartbeats only", [](Peer& peer) { peer.greet(), peer.say_for_ever(frame(8, 0, {})); },
           "connection.tune"},
          {"heartbeats after opening",
           [](Peer& peer) { peer.open_channel(), peer.say_for_ever(frame(8, 0, {})); }, "did not answer"},
      },
      kShortPatience);
}

TEST(HostilePeer, HangingUpAtEachStage) {
  expect_all_end({
      {"at once", [](Peer&) {}, "connection.start"},
      {"after the header", [](Peer& peer) { peer.hear_header(); }, "connection.start"},
      {"half of start",
       [](Peer& peer) { peer.hear_header(), peer.say(first_half(start_with(nested_tables(0)))); },
       "connection.start"},
      {"reset", [](Peer& peer) { peer.hear_header(), peer.reset(); }, "reset"},
      {"after login", [](Peer& peer) { peer.greet(), peer.hear_frame(); }, "connection.tune"},
      {"half of tune", [](Peer& peer) { peer.greet(), peer.tune(first_half(tune_to(1, 4096))); },
       "connection.tune"},
      {"after tune", [](Peer& peer) { peer.greet(), peer.tune(), peer.hear_frame(); }, "connection.open-ok"},
      {"after open", [](Peer& peer) { peer.greet(), peer.tune(), peer.open(); }, "connection"},
      {"instead of an answer", [](Peer& peer) { peer.open_channel(), peer.hear_frame(); },
       "closed the connection"},
      {"half of an answer",
       [](Peer& peer) {
         peer.answer_first(first_half(method(1, 50, 11, Wire().short_text("q").u32(0).u32(0).bytes())));
       },
       "closed the connection"},
      {"reset in mid-life", [](Peer& peer) { peer.open_channel(), peer.hear_frame(), peer.reset(); },
       "reset"},
  });
}

TEST(HostilePeer, GarbageAndForeignTongues) {
  Bytes noise;
  for (unsigned i = 0; i < 5000; ++i) noise.push_back(static_cast<std::byte>(i * 2654435761U >> 13U));
  expect_all_end({
      {"noise", [&](Peer& peer) { peer.say(noise); }, "not with AMQP"},
      {"zeros", [](Peer& peer) { peer.say(Bytes(100'000)); }, "not with AMQP"},
      {"a terminal's commands", [](Peer& peer) { peer.say(Wire().raw("\x1b]0;evil\x07\x1b[2J").bytes()); },
       "not with AMQP"},
      {"HTTP", [](Peer& peer) { peer.say(Wire().raw("HTTP/1.1 400 Bad Request\r\n\r\n").bytes()); },
       "HTTP/1.1"},
      {"noise after login", [&](Peer& peer) { peer.greet(), peer.tune(noise); }, "broke the AMQP protocol"},
      {"noise instead of an answer", [&](Peer& peer) { peer.answer_first(noise); },
       "broke the AMQP protocol"},
  });
}

TEST(HostilePeer, FramesThatLie) {
  const Bytes deep = start_with(nested_tables(15'000));
  expect_all_end({
      {"oversize", [](Peer& peer) { peer.greet(), peer.tune(Wire().u8(1).u16(0).u32(200'000).bytes()); },
       "a frame of"},
      {"negative length",
       [](Peer& peer) { peer.greet(), peer.tune(Wire().u8(1).u16(0).u32(0xFFFFFFFF).bytes()); },
       "a frame of"},
      {"beyond what was agreed", [](Peer& peer) { peer.answer_first(frame(1, 1, Bytes(9000))); },
       "8192 were agreed"},
      {"undersized", [](Peer& peer) { peer.greet(), peer.tune(frame(1, 0, Bytes(3))); }, "malformed"},
      {"no end octet",
       [](Peer& peer) { peer.greet(), peer.tune(Wire().u8(1).u16(0).u32(4).u32(0).u8(0).bytes()); },
       "end octet"},
      {"unknown type", [](Peer& peer) { peer.greet(), peer.tune(frame(4, 0, {})); }, "unknown type"},
      {"unknown method", [](Peer& peer) { peer.answer_first(method(1, 99, 99)); }, "unexpected method"},
      {"a client's method", [](Peer& peer) { peer.answer_first(method(1, 60, 40, Bytes(20))); },
       "unexpected method"},
      {"wrong channel", [](Peer& peer) { peer.answer_first(method(9, 50, 11, Bytes(9))); }, "channel 9"},
      {"highest channel", [](Peer& peer) { peer.answer_first(method(65535, 20, 41)); }, "channel 65535"},
      {"deeply nested tables", [&](Peer& peer) { peer.hear_header(), peer.say(deep); }, "malformed"},
  });
}

TEST(HostilePeer, ContentOutOfOrder) {
  const Bytes header = content_header(3), body = frame(3, 1, Wire().raw("abc").bytes());
  expect_all_end({
      {"a header alone", [&](Peer& peer) { peer.answer_first(header); }, "content without its method"},
      {"a body alone", [&](Peer& peer) { peer.answer_first(body); }, "content without its method"},
      {"a delivery without a header", [&](Peer& peer) { peer.answer_first(deliver(1) + body); },
       "body frame without"},
      {"two headers", [&](Peer& peer) { peer.answer_first(deliver(1) + header + header); },
       "header without its method"},
      {"a method within", [&](Peer& peer) { peer.answer_first(deliver(1) + method(1, 20, 41)); },
       "within a message"},
      {"more body than announced", [&](Peer& peer) { peer.answer_first(deliver(1) + header + body + body); },
       "content without its method"},
      {"a larger body than announced",
       [&](Peer& peer) { peer.answer_first(deliver(1) + header + frame(3, 1, Wire().raw("abcd").bytes())); },
       "more body than"},
      {"less body than announced",
       [&](Peer& peer) { peer.answer_first(deliver(1) + header), peer.fall_silent(); }, "did not answer"},
      {"a body beyond all limits", [](Peer& peer) { peer.answer_first(deliver(1) + content_header(~0ULL)); },
       "512 MiB"},
      {"on another channel", [&](Peer& peer) { peer.answer_first(deliver(4) + frame(2, 4, Bytes(14))); },
       "not open"},
  });
}

TEST(HostilePeer, LimitsThatAreNone) {
  expect_all_end({
      {"frames too small", [](Peer& peer) { peer.greet(), peer.tune(tune_to(10, 100)); },
       "frames of at most 100"},
      {"frames smallest", [](Peer& peer) { peer.greet(), peer.tune(tune_to(10, 1)); }, "frames of at most 1"},
  });
  // Huge ones do not bind us: ours stand.
  const HostileBroker generous([](Peer& peer) {
    peer.greet();
    peer.tune(tune_to(65535, 0xFFFFFFFF));
    peer.open();
    peer.hear_frame();
    peer.say(method(1, 20, 11, Wire().u32(0).bytes()));
    peer.hear_frame();
    peer.say(method(1, 50, 11, Wire().short_text("q").u32(7).u32(0).bytes()));
    peer.fall_silent();
  });
  Session session(generous.uri(), {}, kPatience);
  EXPECT_EQ(session.queue("q")->messages, 7U);
}

TEST(HostilePeer, WordsThatAreNoWords) {
  expect_all_end({
      {"terminal commands", [](Peer& peer) { peer.answer_first(close_with("\x1b[2Jgone\r\n")); }, "gone"},
      {"no UTF-8", [](Peer& peer) { peer.answer_first(close_with("\xff\xfe gone")); }, "gone"},
      {"a login mechanism",
       [](Peer& peer) {
         peer.hear_header();
         peer.say(
             method(0, 10, 10, Wire().u8(0).u8(9).u32(0).long_text("\x1b[2J \xff").long_text("x").bytes()));
       },
       "mechanisms"},
  });
}

TEST(HostilePeer, AByteAtATimeIsStillABroker) {
  const HostileBroker broker([](Peer& peer) {
    peer.hear_header();
    peer.say_byte_by_byte(start_with(nested_tables(3)));
    peer.hear_frame();
    peer.say_byte_by_byte(tune_to(0, 0));
    peer.open();
    peer.hear_frame();
    peer.say_byte_by_byte(method(1, 20, 11, Wire().u32(0).bytes()));
    peer.hear_frame();
    peer.say_byte_by_byte(method(1, 50, 11, Wire().short_text("q").u32(3).u32(0).bytes()));
    peer.fall_silent();
  });
  Session session(broker.uri());
  EXPECT_EQ(session.queue("q")->messages, 3U);
}

// The end of a connection answers all questions under way at once, the last one, too.
TEST(HostilePeer, HangingUpWhileAListIsAsked) {
  const HostileBroker broker([](Peer& peer) {
    peer.open_channel();
    peer.hear_frame();  // the question
  });
  Session session(broker.uri(), {}, kPatience);
  const std::vector<std::string> names = {"only"};
  std::vector<std::optional<QueueStatus>> statuses;
  EXPECT_THROW(session.queues(names, statuses), Error);
  ASSERT_EQ(statuses.size(), 1U);
  EXPECT_FALSE(statuses[0].has_value());
}

TEST(HostilePeer, OnATlsPort) {
  for (const Bytes& words :
       {Bytes(500, std::byte{0x16}), Wire().u8(22).u16(0x0303).u16(0xFFFF).bytes(), Bytes{}}) {
    const HostileBroker broker([&](Peer& peer) { peer.say(words), peer.fall_silent(); });
    const auto error = end_of(broker.uri(true));
    ASSERT_TRUE(error.has_value());
    EXPECT_FALSE(error->summary().empty());
  }
}

// In pages, as the kernel counts them.
long resident_pages() {
  long size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident;
}

TEST(HostilePeer, AnnouncingMuchTakesNoMemory) {
  const HostileBroker broker([](Peer& peer) {
    peer.answer_first(deliver(1) + content_header(500ULL << 20U) + frame(3, 1, Bytes(8000)));
    peer.fall_silent();
  });
  const long before = resident_pages();
  ASSERT_TRUE(end_of(broker.uri()).has_value());
  EXPECT_LT((resident_pages() - before) * sysconf(_SC_PAGESIZE), 100L << 20);
}

TEST(HostilePeer, QuestionsWithoutEndTakeNoMemory) {
  // Each channel.flow wants an answer, and none is read.
  Bytes questions;
  for (int i = 0; i < 1000; ++i) questions = questions + method(1, 20, 20, {std::byte{1}});
  expect_all_end(
      {{"flow", [&](Peer& peer) { peer.open_channel(), peer.say_for_ever(questions); }, "without reading"}});
}

}  // namespace
}  // namespace brokerlab::amqp
