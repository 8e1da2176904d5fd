#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "amqp/session.h"
#include "core/error.h"
#include "live_fixture.h"

namespace brokerlab::amqp {
namespace {

using Trouble = LiveTest;

TEST_F(Trouble, WrongPasswordIsSaidSoAndNotTriedAgain) {
  auto settings = options();
  settings.uri.password = "wrong-canary";
  settings.reconnect = {5, kNanosecondsPerSecond};
  Connection connection(&loop_, clock_, settings);
  int tries = 0;
  connection.events().on_retry = [&](int, int, const AmqpError&) { ++tries; };
  const auto outcome = open(connection);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kRefusedLogin);
  EXPECT_EQ(outcome.error().code, 403);
  EXPECT_NE(outcome.error().summary.find("wrong user name or password"), std::string::npos);
  EXPECT_EQ(outcome.error().describe().find("canary"), std::string::npos);
  EXPECT_EQ(tries, 0);
}

TEST_F(Trouble, UnknownVhostIsNamed) {
  auto settings = options();
  settings.uri.vhost = "no-such-vhost";
  Connection connection(&loop_, clock_, settings);
  const auto outcome = open(connection);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, 530);
  EXPECT_NE(outcome.error().summary.find("no such vhost"), std::string::npos) << outcome.error().describe();
}

TEST_F(Trouble, NobodyListensIsTriedAsOftenAsAllowed) {
  auto settings = options();
  settings.uri.port = 1;  // reserved; nobody listens there
  settings.reconnect = {3, 1'000'000};
  Connection connection(&loop_, clock_, settings);
  std::vector<std::string> tries;
  connection.events().on_retry = [&](int attempt, int of, const AmqpError&) {
    tries.push_back(std::to_string(attempt) + "/" + std::to_string(of));
  };
  const auto outcome = open(connection);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kUnreachable);
  EXPECT_NE(outcome.error().summary.find("nobody listens on 127.0.0.1:1"), std::string::npos);
  EXPECT_EQ(tries, (std::vector<std::string>{"1/3", "2/3", "3/3"}));
}

TEST_F(Trouble, HostNameThatDoesNotExist) {
  auto settings = options();
  settings.uri.host = "no-such-host.invalid";
  Connection connection(&loop_, clock_, settings);
  const auto outcome = open(connection);
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(outcome.error().summary.find("cannot reach no-such-host.invalid"), std::string::npos);
}

TEST_F(Trouble, LocalhostResolves) {
  auto settings = options();
  settings.uri.host = "localhost";  // ::1 may come first, where nobody listens
  Connection connection(&loop_, clock_, settings);
  EXPECT_TRUE(open(connection).ok());
}

TEST_F(Trouble, MemoryAlarmBlocksAndUnblocks) {
  auto connection = connected();
  std::string reason;
  bool unblocked = false;
  connection->events().on_blocked = [&](std::string_view why) { reason = why; };
  connection->events().on_unblocked = [&] { unblocked = true; };
  Notes notes;
  auto& out = channel(*connection, &notes);
  ASSERT_TRUE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
  const auto name = queue(out);
  LiveBroker::instance().control("set_vm_memory_high_watermark absolute 1MB");
  publish(out, name, "into the alarm");
  EXPECT_TRUE(run_until([&] { return connection->blocked(); }));
  EXPECT_EQ(reason, "low on memory");
  EXPECT_FALSE(out.writable());
  LiveBroker::instance().control("set_vm_memory_high_watermark absolute 512MB");
  EXPECT_TRUE(
      run_until([&] { return unblocked && notes.settled_through == 1 && notes.writable_again == 1; }));
  EXPECT_TRUE(out.writable());
}

TEST_F(Trouble, ReconnectRestoresTopologyQosConfirmsAndConsumers) {
  auto settings = options();
  settings.reconnect = {20, 50'000'000};
  auto connection = connected(settings);
  std::optional<AmqpError> lost;
  bool restored = false;
  connection->events().on_lost = [&](const AmqpError& reason) { lost = reason; };
  connection->events().on_restored = [&] { restored = true; };
  Topology topology;
  QueueDeclaration exclusive;  // dies with the connection: only a new declaration brings it back
  exclusive.name = "r-exclusive";
  exclusive.exclusive = true;
  topology.queues.push_back(exclusive);
  topology.bindings.push_back(
      {"amq.topic", BindingDeclaration::To::kQueue, "r-exclusive", "r.#", Json::object()});
  connection->restore_topology(topology);
  Notes notes;
  auto& out = channel(*connection, &notes);
  ASSERT_TRUE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
  ASSERT_TRUE(wait_for([&](Done done) { out.qos(2, false, done); }).ok());
  ASSERT_TRUE(wait_for([&](Done done) {
                out.declare(exclusive, [done](const Outcome& outcome, const QueueStatus&) { done(outcome); });
              }).ok());
  ASSERT_TRUE(wait_for([&](Done done) { out.bind(topology.bindings[0], done); }).ok());
  Inbox inbox;
  ASSERT_TRUE(consume(out, "r-exclusive", inbox, false).ok());
  auto message = to("amq.topic", "r.1");
  for (int i = 0; i < 3; ++i) out.publish(message, {}, bytes("old"));
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 2 && notes.settled_through == 3; }));

  LiveBroker::instance().control("close_all_connections 'test says good-bye'");
  ASSERT_TRUE(run_until([&] { return restored; }));
  EXPECT_EQ(lost->code, 320);
  EXPECT_EQ(out.epoch(), 1U);
  EXPECT_EQ(notes.undecided_through, 3U);
  EXPECT_FALSE(out.ack(inbox.items[1].tag, true))
      << "an ack of the lost connection must not reach the new one";
  inbox.items.clear();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(out.publish(message, {}, bytes("new")), 4U + static_cast<unsigned>(i));
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 2 && notes.settled_through == 6; }));
  EXPECT_EQ(inbox.items[0].body, "new");
  EXPECT_GT(inbox.items[0].tag, 2U);
  EXPECT_TRUE(out.ack(inbox.items[1].tag, true));
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 3; }));
  EXPECT_EQ(connection->counters().reconnects, 1);
}

TEST_F(Trouble, AConsumerThatCannotBeRestoredIsTold) {
  auto settings = options();
  settings.reconnect = {20, 50'000'000};
  auto connection = connected(settings);
  bool restored = false;
  connection->events().on_restored = [&] { restored = true; };
  Notes notes;
  auto& out = channel(*connection, &notes);
  const auto name = queue(out);  // exclusive and not in the topology: gone with the connection
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  LiveBroker::instance().control("close_all_connections 'test says good-bye'");
  ASSERT_TRUE(run_until([&] { return restored; }));
  EXPECT_EQ(notes.closed->code, 404);
  EXPECT_TRUE(inbox.cancelled.has_value());
}

TEST_F(Trouble, WithoutReconnectTheLossIsTheEnd) {
  auto connection = connected();
  std::vector<std::string> events;
  connection->events().on_lost = [&](const AmqpError&) { events.emplace_back("lost"); };
  connection->events().on_ended = [&](const AmqpError& reason) {
    EXPECT_EQ(reason.code, 320);
    events.emplace_back("ended");
  };
  auto& out = channel(*connection);
  LiveBroker::instance().control("close_all_connections 'test says good-bye'");
  ASSERT_TRUE(run_until([&] { return events.size() == 2; }));
  EXPECT_EQ(events, (std::vector<std::string>{"lost", "ended"}));
  EXPECT_FALSE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
}

TEST_F(Trouble, CloseFlushesWhatWasPublished) {
  Session session(LiveBroker::instance().uri());
  QueueDeclaration kept;
  kept.name = "c-kept";
  session.declare(kept);
  auto connection = connected();
  auto& out = channel(*connection);
  for (int i = 0; i < 3000; ++i) publish(out, "c-kept", "body");
  bool closed = false;
  connection->close([&] {
    closed = true;
    connection.reset();  // allowed there
  });
  ASSERT_TRUE(run_until([&] { return closed; }));
  EXPECT_EQ(session.purge("c-kept"), 3000U);
  session.remove_queue("c-kept");
}

TEST_F(Trouble, SilentBrokerIsMissedByItsHeartbeats) {
  auto settings = options();
  settings.heartbeat_s = 1;
  auto connection = connected(settings);
  EXPECT_EQ(connection->heartbeat_s(), 1);
  std::optional<AmqpError> ended;
  connection->events().on_ended = [&](const AmqpError& reason) { ended = reason; };
  // Heartbeats keep an idle connection alive beyond the broker's patience of two intervals.
  EXPECT_FALSE(run_until([&] { return ended.has_value(); }, 4));
  LiveBroker::instance().pause();
  const bool noticed = run_until([&] { return ended.has_value(); });
  LiveBroker::instance().resume();
  ASSERT_TRUE(noticed);
  EXPECT_EQ(ended->kind, ErrorKind::kHeartbeat);
}

TEST_F(Trouble, HandshakeWithAPausedBrokerIsBounded) {
  auto settings = options();
  settings.handshake_timeout_ns = 300'000'000;
  LiveBroker::instance().pause();
  Connection connection(&loop_, clock_, settings);
  const auto outcome = open(connection);
  LiveBroker::instance().resume();
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(outcome.error().summary.find("connection.start"), std::string::npos)
      << outcome.error().describe();
}

TEST_F(Trouble, CloseOfAPausedBrokerIsBounded) {
  auto settings = options();
  settings.close_timeout_ns = 200'000'000;
  auto connection = connected(settings);
  LiveBroker::instance().pause();
  bool closed = false;
  connection->close([&] { closed = true; });
  const bool ended = run_until([&] { return closed; });
  LiveBroker::instance().resume();
  EXPECT_TRUE(ended);
}

TEST_F(Trouble, WriteBlockIsSeenWhileTheBrokerDoesNotRead) {
  auto connection = connected();
  Notes notes;
  auto& out = channel(*connection, &notes);
  Nanoseconds blocked_ns = 0;
  connection->events().on_write_blocked = [&](Nanoseconds start, Nanoseconds end) {
    blocked_ns += end - start;
  };
  PublishTemplate message({"amq.fanout", "", false}, {}, std::nullopt);
  const std::string body(60'000, 'b');
  LiveBroker::instance().pause();
  int sent = 0;
  while (sent < 2000 && out.writable()) {
    out.publish(message, {}, bytes(body));
    connection->flush();
    ++sent;
  }
  EXPECT_LT(sent, 2000) << "the kernel swallowed it all";
  EXPECT_TRUE(connection->write_blocked());
  EXPECT_LT(connection->output_bytes(), 600'000U);
  LiveBroker::instance().resume();
  ASSERT_TRUE(run_until([&] { return notes.writable_again > 0 && connection->output_bytes() == 0; }));
  EXPECT_GT(blocked_ns, 0);
}

}  // namespace
}  // namespace brokerlab::amqp
