#include "live_fixture.h"

namespace brokerlab::amqp {

LiveTest::LiveTest() { uv_loop_init(&loop_); }

LiveTest::~LiveTest() {
  // A handle left open, or a callback on something freed, shows here.
  EXPECT_TRUE(run_until([this] { return uv_loop_alive(&loop_) == 0; }, 5)) << "the loop did not come to rest";
  EXPECT_EQ(uv_loop_close(&loop_), 0);
}

bool LiveTest::run_until(const std::function<bool()>& done, int limit_s) {
  uv_timer_t wake;  // so that a silent loop does not sleep beyond the limit
  uv_timer_init(&loop_, &wake);
  uv_timer_start(
      &wake, [](uv_timer_t*) {}, 20, 20);
  uv_unref(reinterpret_cast<uv_handle_t*>(&wake));
  const Nanoseconds limit = clock_.now() + limit_s * kNanosecondsPerSecond;
  bool ok = done();
  while (!ok && clock_.now() < limit) {
    uv_run(&loop_, UV_RUN_NOWAIT);
    ok = done();
    if (!ok && uv_loop_alive(&loop_) != 0) uv_run(&loop_, UV_RUN_ONCE);
    ok = done();
  }
  uv_ref(reinterpret_cast<uv_handle_t*>(&wake));
  uv_close(reinterpret_cast<uv_handle_t*>(&wake), nullptr);
  uv_run(&loop_, UV_RUN_NOWAIT);
  return ok;
}

Outcome LiveTest::open(Connection& connection) {
  std::optional<Outcome> outcome;
  connection.open([&] { outcome = Outcome(); }, [&](const AmqpError& error) { outcome = error; });
  if (!run_until([&] { return outcome.has_value(); })) {
    return AmqpError::make(ErrorKind::kUsage, "the test waited in vain", "");
  }
  return *outcome;
}

ConnectionOptions LiveTest::options() const {
  ConnectionOptions options;
  options.uri = LiveBroker::instance().uri();
  return options;
}

std::unique_ptr<Connection> LiveTest::connected() { return connected(options()); }

std::unique_ptr<Connection> LiveTest::connected(const ConnectionOptions& options) {
  auto connection = std::make_unique<Connection>(&loop_, clock_, options);
  const auto outcome = open(*connection);
  EXPECT_TRUE(outcome.ok()) << (outcome.ok() ? "" : outcome.error().describe());
  return connection;
}

Outcome LiveTest::wait_for(const std::function<void(Done)>& start) {
  auto outcome = std::make_shared<std::optional<Outcome>>();
  start([outcome](const Outcome& result) { *outcome = result; });
  if (!run_until([&] { return outcome->has_value(); })) {
    return AmqpError::make(ErrorKind::kUsage, "the test waited in vain", "");
  }
  return **outcome;
}

Channel& LiveTest::channel(Connection& connection, ChannelListener* listener) {
  Channel* channel = nullptr;
  EXPECT_TRUE(
      wait_for([&](Done done) { channel = &connection.open_channel(listener, std::move(done)); }).ok());
  return *channel;
}

std::string LiveTest::queue(Channel& channel, Json arguments) {
  QueueDeclaration declaration;
  declaration.exclusive = true;
  declaration.arguments = std::move(arguments);
  std::string name;
  const auto outcome = wait_for([&](Done done) {
    channel.declare(declaration, [&name, done](const Outcome& result, const QueueStatus& status) {
      name = status.name;
      done(result);
    });
  });
  EXPECT_TRUE(outcome.ok()) << (outcome.ok() ? "" : outcome.error().describe());
  EXPECT_FALSE(name.empty());
  return name;
}

PublishTemplate LiveTest::to(const std::string& exchange, const std::string& key,
                             const Properties& properties) {
  Stamp stamp;
  stamp.run = 77;
  stamp.publisher = 3;
  return PublishTemplate({exchange, key, true}, properties, stamp);
}

std::uint64_t LiveTest::publish(Channel& channel, const std::string& queue, std::string_view body) {
  auto message = to("", queue);
  return channel.publish(message, {}, bytes(body));
}

Outcome LiveTest::consume(Channel& channel, const std::string& queue, Inbox& inbox, bool auto_ack,
                          std::string* tag) {
  ConsumeOptions options;
  options.queue = queue;
  options.auto_ack = auto_ack;
  return wait_for([&](Done done) {
    channel.consume(options, inbox, [done, tag](const Outcome& outcome, const std::string& chosen) {
      if (tag != nullptr) *tag = chosen;
      done(outcome);
    });
  });
}

}  // namespace brokerlab::amqp
