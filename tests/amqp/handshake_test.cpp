#include "scripted_connection.h"

namespace brokerlab::amqp {
namespace {

TEST_F(ScriptedConnection, OpensByteByByte) {
  become_open({}, 1);
  EXPECT_EQ(connection_->frame_max(), 8192U);
  const Bytes head(script_.written.begin(), script_.written.begin() + 8);
  EXPECT_EQ(head, Wire().raw("AMQP").u8(0).u8(0).u8(9).u8(1).bytes());
  const auto tail = frame(1, 0, Wire().u16(10).u16(31).u16(10).u32(8192).u16(0).bytes()) +
                    frame(1, 0, Wire().u16(10).u16(40).short_text("/").short_text("").u8(0).bytes());
  ASSERT_GT(script_.written.size(), tail.size());
  EXPECT_EQ(Bytes(script_.written.end() - static_cast<std::ptrdiff_t>(tail.size()), script_.written.end()),
            tail);
}

TEST_F(ScriptedConnection, ForeignPeersAreRecognised) {
  expect_failure({}, Wire().raw("HTTP/1.1 400 Bad Request\r\n").bytes(), ErrorKind::kNotAmqp, "HTTP/1.1 400");
  expect_failure({}, Wire().raw("AMQP").u32(0x00010000).bytes(), ErrorKind::kNotAmqp, "another version");
  expect_failure({}, Wire().u8(0x15).u8(3).u8(3).u16(2).u16(0x0246).bytes(), ErrorKind::kNotAmqp, "TLS");
  expect_failure({}, Wire().raw("\x1b[31mevil").bytes(), ErrorKind::kNotAmqp, ".[31mevil");
}

TEST_F(ScriptedConnection, BrokenFramesEndTheAttempt) {
  auto no_end = start();
  no_end.back() = std::byte{0};
  expect_failure({}, no_end, ErrorKind::kNotAmqp, "end octet");
  expect_failure({}, Wire().u8(1).u16(0).u32(0x7FFFFFFF).bytes(), ErrorKind::kNotAmqp, "a frame of");
  expect_failure(start(), Wire().u8(9).u16(0).u32(0).u8(0xCE).bytes(), ErrorKind::kNotAmqp, "unknown type");
  for (std::size_t size = 0; size < 8; ++size) {
    expect_failure({}, frame(1, 0, Bytes(size, std::byte{0})), ErrorKind::kNotAmqp,
                   "malformed or unexpected");
  }
  expect_failure({}, frame(2, 0, Bytes(20, std::byte{0})), ErrorKind::kNotAmqp, "not with AMQP");
  expect_failure(start(), frame(3, 0, Bytes(20, std::byte{0})), ErrorKind::kNotAmqp, "content on channel 0");
  expect_failure(start(), frame(1, 5, Wire().u16(20).u16(11).u32(0).bytes()), ErrorKind::kNotAmqp,
                 "channel 5");
  expect_failure(start(), delivery(5, "c", 1, "x"), ErrorKind::kNotAmqp, "channel");
  expect_failure(start() + tune(), Wire().u8(1).u16(0).u32(200000).bytes(), ErrorKind::kNotAmqp,
                 "a frame of");
}

TEST_F(ScriptedConnection, MethodsOutOfTurnEndTheAttempt) {
  expect_failure({}, tune(), ErrorKind::kNotAmqp, "connection.start was due");
  expect_failure(start(), start(), ErrorKind::kNotAmqp, "connection.tune was due");
  expect_failure(start() + tune(), tune(), ErrorKind::kNotAmqp, "connection.open-ok was due");
  expect_failure(start(), tune(10, 100), ErrorKind::kNotAmqp, "frames of at most 100");
  const auto external =
      frame(1, 0, Wire().u16(10).u16(10).u8(0).u8(9).u32(0).long_text("EXTERNAL").long_text("en_US").bytes());
  expect_failure({}, external, ErrorKind::kRefusedLogin, "EXTERNAL");
}

TEST_F(ScriptedConnection, ClosesInTheHandshakeAreTranslated) {
  const auto close = [](unsigned code, const std::string& text, unsigned class_id, unsigned method_id) {
    return frame(1, 0,
                 Wire().u16(10).u16(50).u16(code).short_text(text).u16(class_id).u16(method_id).bytes());
  };
  expect_failure(start(), close(403, "ACCESS_REFUSED - Login was refused", 0, 0), ErrorKind::kRefusedLogin,
                 "wrong user name or password");
  expect_failure(start() + tune(), close(530, "NOT_ALLOWED - vhost x not found", 10, 40),
                 ErrorKind::kRefusedLogin, "no such vhost");
  EXPECT_EQ(failed_->method, "connection.open");
  expect_failure(start() + tune(),
                 close(530, "NOT_ALLOWED - access to vhost 'x' refused for user 'u'", 10, 40),
                 ErrorKind::kRefusedLogin, "may not use vhost 'x'");
}

TEST_F(ScriptedConnection, HangingUpAtEachStageSaysWhatWasAwaited) {
  const std::vector<std::pair<Bytes, std::string>> stages{
      {{}, "connection.start"}, {start(), "connection.tune"}, {start() + tune(), "connection.open-ok"}};
  for (const auto& [before, awaited] : stages) {
    failed_.reset();
    begin();
    script_.listener->on_transport_ready();
    script_.say(before);
    script_.hang_up();
    turn();
    ASSERT_TRUE(failed_.has_value());
    EXPECT_NE(failed_->summary.find(awaited), std::string::npos) << failed_->describe();
  }
}

TEST_F(ScriptedConnection, SilenceAtEachStageIsBounded) {
  const std::vector<std::pair<std::function<void()>, std::string>> stages{
      {[] {}, "no connection to"},
      {[this] { script_.listener->on_transport_ready(); }, "connection.start"},
      {[this] { script_.listener->on_transport_ready(), script_.say(start()); }, "connection.tune"},
      {[this] { script_.listener->on_transport_ready(), script_.say(start() + tune()); },
       "connection.open-ok"},
  };
  for (const auto& [reach, awaited] : stages) {
    failed_.reset();
    ConnectionOptions options;
    options.handshake_timeout_ns = 20'000'000;
    begin(options);
    reach();
    for (int i = 0; i < 1000 && !failed_; ++i) uv_run(&loop_, UV_RUN_ONCE);
    ASSERT_TRUE(failed_.has_value());
    EXPECT_NE(failed_->summary.find(awaited), std::string::npos) << failed_->describe();
  }
}

TEST_F(ScriptedConnection, CloseWithoutReplyIsBounded) {
  ConnectionOptions options;
  options.close_timeout_ns = 20'000'000;
  become_open(options);
  bool closed = false;
  connection_->close([&] { closed = true; });
  for (int i = 0; i < 1000 && !closed; ++i) uv_run(&loop_, UV_RUN_ONCE);
  EXPECT_TRUE(closed);
  EXPECT_EQ(script_.listener, nullptr);
}

TEST_F(ScriptedConnection, CloseDuringTheHandshakeAnswersBothCallbacks) {
  begin();
  bool closed = false;
  connection_->close([&] { closed = true; });
  turn();
  EXPECT_TRUE(closed);
  EXPECT_TRUE(failed_.has_value());
}

}  // namespace
}  // namespace brokerlab::amqp
