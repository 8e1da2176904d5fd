#include <algorithm>
#include <stdexcept>

#include "amqp/session.h"
#include "core/error.h"
#include "live_fixture.h"

namespace brokerlab::amqp {
namespace {

using TopologyOnBroker = LiveTest;

ExchangeDeclaration exchange(const std::string& name, const std::string& type,
                             Json arguments = Json::object()) {
  ExchangeDeclaration declaration;
  declaration.name = name;
  declaration.type = type;
  declaration.auto_delete = true;
  declaration.arguments = std::move(arguments);
  return declaration;
}

BindingDeclaration bound(const std::string& source, const std::string& destination,
                         const std::string& key = "", Json arguments = Json::object(),
                         BindingDeclaration::To to = BindingDeclaration::To::kQueue) {
  return {source, to, destination, key, std::move(arguments)};
}

TEST_F(TopologyOnBroker, AlternateExchangeTakesWhatIsUnroutableAndSuppressesTheReturn) {
  auto connection = connected();
  Notes notes;
  auto& out = channel(*connection, &notes);
  ASSERT_TRUE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
  const auto name = queue(out);
  ASSERT_TRUE(wait_for([&](Done done) { out.declare(exchange("t-unrouted", "fanout"), done); }).ok());
  ASSERT_TRUE(wait_for([&](Done done) { out.bind(bound("t-unrouted", name), done); }).ok());
  ASSERT_TRUE(wait_for([&](Done done) {
                out.declare(exchange("t-main", "direct", {{"alternate-exchange", "t-unrouted"}}), done);
              }).ok());
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  auto message = to("t-main", "nowhere");
  out.publish(message, {}, bytes("saved"));
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 1 && notes.settled_through == 1; }));
  EXPECT_EQ(notes.return_code, 0);
  wait_for([&](Done done) { out.delete_exchange("t-main", false, done); });
}

TEST_F(TopologyOnBroker, HeadersExchangeRoutesByHeaders) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto name = queue(out);
  ASSERT_TRUE(wait_for([&](Done done) { out.declare(exchange("t-headers", "headers"), done); }).ok());
  ASSERT_TRUE(
      wait_for([&](Done done) {
        out.bind(bound("t-headers", name, "", {{"x-match", "all"}, {"kind", "job"}, {"size", 3}}), done);
      }).ok());
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  Properties fits, differs;
  fits.headers = {{"kind", "job"}, {"size", 3}};
  differs.headers = {{"kind", "job"}, {"size", 4}};
  auto one = PublishTemplate({"t-headers", "", false}, differs, std::nullopt);
  auto two = PublishTemplate({"t-headers", "", false}, fits, std::nullopt);
  out.publish(one, {}, bytes("differs"));
  out.publish(two, {}, bytes("fits"));
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 1; }));
  EXPECT_EQ(inbox.items[0].body, "fits");
}

TEST_F(TopologyOnBroker, ExchangesBindToExchangesAndUnbind) {
  auto connection = connected();
  Notes notes;
  auto& out = channel(*connection, &notes);
  ASSERT_TRUE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
  const auto name = queue(out);
  auto first = exchange("t-first", "topic"), second = exchange("t-second", "fanout");
  first.auto_delete = second.auto_delete = false;
  ASSERT_TRUE(wait_for([&](Done done) { out.declare(first, done); }).ok());
  ASSERT_TRUE(wait_for([&](Done done) { out.declare(second, done); }).ok());
  const auto link = bound("t-first", "t-second", "a.#", Json::object(), BindingDeclaration::To::kExchange);
  ASSERT_TRUE(wait_for([&](Done done) { out.bind(link, done); }).ok());
  ASSERT_TRUE(wait_for([&](Done done) { out.bind(bound("t-second", name), done); }).ok());
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  auto message = to("t-first", "a.b");
  out.publish(message, {}, bytes("through"));
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 1; }));
  ASSERT_TRUE(wait_for([&](Done done) { out.unbind(link, done); }).ok());
  out.publish(message, {}, bytes("returned"));
  ASSERT_TRUE(run_until([&] { return notes.settled_through == 2; }));
  EXPECT_EQ(notes.return_code, 312);
  wait_for([&](Done done) { out.delete_exchange("t-first", false, done); });
  wait_for([&](Done done) { out.delete_exchange("t-second", false, done); });
}

TEST_F(TopologyOnBroker, MistakesGetClearWords) {
  auto connection = connected();
  struct Case {
    std::function<void(Channel&, Done)> act;
    int code;
    std::string says;
  };
  auto& owner = channel(*connection);
  QueueDeclaration other_arguments;
  other_arguments.name = "t-mine";
  other_arguments.exclusive = true;
  ASSERT_TRUE(wait_for([&](Done done) {
                owner.declare(other_arguments,
                              [done](const Outcome& outcome, const QueueStatus&) { done(outcome); });
              }).ok());
  other_arguments.arguments = {{"x-max-length", 5}};
  const std::vector<Case> cases{
      {[](Channel& c, Done done) { c.bind(bound("no-such-exchange", "no-such-queue"), done); }, 404,
       "not found"},
      {[&](Channel& c, Done done) {
         c.declare(other_arguments, [done](const Outcome& outcome, const QueueStatus&) { done(outcome); });
       },
       406, "other properties"},
      {[](Channel& c, Done done) { c.declare(exchange("amq.mine", "direct"), done); }, 403, "reserved"},
  };
  for (const auto& each : cases) {
    auto& out = channel(*connection);
    const auto outcome = wait_for([&](Done done) { each.act(out, done); });
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code, each.code);
    EXPECT_NE(outcome.error().summary.find(each.says), std::string::npos) << outcome.error().describe();
    EXPECT_FALSE(outcome.error().remedy.empty());
    connection->remove(out);
  }
}

TEST_F(TopologyOnBroker, ExclusiveQueueOfAnotherConnectionIsLocked) {
  auto owner = connected();
  auto stranger = connected();
  const auto name = queue(channel(*owner));
  auto& out = channel(*stranger);
  Inbox inbox;
  const auto outcome = consume(out, name, inbox, true);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, 405);
  EXPECT_NE(outcome.error().summary.find("exclusive to another connection"), std::string::npos);
}

TEST_F(TopologyOnBroker, UnknownExchangeTypeNamesThePlugin) {
  auto connection = connected();
  std::optional<AmqpError> ended;
  connection->events().on_ended = [&](const AmqpError& reason) { ended = reason; };
  auto& out = channel(*connection);
  const auto outcome =
      wait_for([&](Done done) { out.declare(exchange("t-hash", "x-consistent-hash"), done); });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, 503);
  EXPECT_NE(outcome.error().remedy.find("rabbitmq-plugins enable rabbitmq_consistent_hash_exchange"),
            std::string::npos);
  EXPECT_TRUE(run_until([&] { return ended.has_value(); }));
}

TEST_F(TopologyOnBroker, TooLongNamesAreRefusedBeforeTheySpoilTheConnection) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto outcome =
      wait_for([&](Done done) { out.declare(exchange(std::string(300, 'x'), "direct"), done); });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(out.state(), Channel::State::kOpen);
}

TEST_F(TopologyOnBroker, ManyChannelsCloseAndTheirNumbersAreUsedAgain) {
  auto connection = connected();
  for (int round = 0; round < 3; ++round) {
    std::vector<Channel*> channels;
    for (int i = 0; i < 50; ++i) channels.push_back(&channel(*connection));
    EXPECT_LE(channels.back()->number(), 51);
    // Channels answer independently of each other: each has to have closed before its number can be free.
    for (auto* each : channels) ASSERT_TRUE(wait_for([&](Done done) { each->close(done); }).ok());
    for (auto* each : channels) connection->remove(*each);
    ASSERT_TRUE(wait_for([&](Done done) {
                  connection->open_channel(nullptr, [done](const Outcome& outcome) { done(outcome); });
                }).ok());
  }
}

TEST_F(TopologyOnBroker, SessionServesTheController) {
  Session session(LiveBroker::instance().uri());
  Topology topology;
  topology.exchanges.push_back({"s-orders", "topic", false, true, false, false, Json::object()});
  QueueDeclaration queue;
  queue.name = "s-queue";
  queue.durable = true;
  queue.arguments = {{"x-queue-type", "quorum"}};
  topology.queues.push_back(queue);
  topology.bindings.push_back(
      {"s-orders", BindingDeclaration::To::kQueue, "s-queue", "order.*", Json::object()});
  session.declare(topology);
  EXPECT_TRUE(session.exchange_exists("s-orders"));
  EXPECT_FALSE(session.exchange_exists("s-nothing"));  // and the session lives on
  EXPECT_FALSE(session.queue("s-nothing").has_value());
  EXPECT_TRUE(session.publish("s-orders", "order.new", {}, "hello"));
  EXPECT_TRUE(session.publish("s-orders", "order.old", {}, "there"));
  EXPECT_FALSE(session.publish("s-orders", "elsewhere", {}, "lost"));
  const auto message = session.get("s-queue");
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->body, "hello");
  EXPECT_EQ(message->routing_key, "order.new");
  EXPECT_EQ(message->remaining, 1U);
  EXPECT_EQ(session.purge("s-queue"), 1U);
  EXPECT_FALSE(session.get("s-queue").has_value());
  try {
    queue.arguments = {{"x-queue-type", "classic"}};
    session.declare(queue);
    FAIL() << "declared again with other arguments";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("s-queue"), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find("guest:"), std::string::npos);
  }
  session.remove_queue("s-queue");
  session.remove_exchange("s-orders");
  EXPECT_FALSE(session.queue("s-queue").has_value());
  EXPECT_EQ(session.server_version().substr(0, 2), "3.");
}

class ListsOnBroker : public TopologyOnBroker {
 protected:
  static constexpr std::size_t kQueues = 300;  // more than are asked for at a time
  ListsOnBroker() {
    for (std::size_t i = 0; i < kQueues; ++i) {
      QueueDeclaration queue;
      queue.name = names_.emplace_back("list-" + std::to_string(i));
      queue.auto_delete = true;
      queues_.push_back(queue);
      bindings_.push_back(
          {"amq.direct", BindingDeclaration::To::kQueue, queue.name, queue.name, Json::object()});
    }
  }
  ~ListsOnBroker() override { session_.remove_queues(names_, nullptr); }

  Session session_{LiveBroker::instance().uri()};
  std::vector<std::string> names_;
  std::vector<QueueDeclaration> queues_;
  std::vector<BindingDeclaration> bindings_;
};

TEST_F(ListsOnBroker, AreDeclaredBoundAskedAndRemoved) {
  std::vector<std::size_t> told;
  session_.declare(queues_, [&](std::size_t done) { told.push_back(done); });
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back(), kQueues);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  session_.bind(bindings_, nullptr);
  for (const std::string& name : {names_.front(), names_.back()})
    EXPECT_TRUE(session_.publish("amq.direct", name, {}, "x")) << name;

  // Those that are not there do not keep the others from being asked.
  std::vector<std::string> asked = names_;
  asked.insert(asked.begin() + 7, "list-of-nobody");
  asked.emplace_back("list-of-nobody");
  std::vector<std::optional<QueueStatus>> statuses;
  session_.queues(asked, statuses);
  ASSERT_EQ(statuses.size(), asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i)
    EXPECT_EQ(statuses[i].has_value(), asked[i] != "list-of-nobody") << asked[i];
  EXPECT_EQ(statuses.front()->messages, 1U);
  EXPECT_EQ(statuses[kQueues]->messages, 1U);
  EXPECT_EQ(statuses[1]->messages, 0U);

  session_.remove_queues(names_, nullptr);
  session_.queues(names_, statuses);
  EXPECT_TRUE(
      std::none_of(statuses.begin(), statuses.end(), [](const auto& one) { return one.has_value(); }));
}

TEST_F(ListsOnBroker, ARefusalNamesItsQueueAndTheSessionLivesOn) {
  session_.declare(queues_[150]);
  queues_[150].auto_delete = false;
  try {
    session_.declare(queues_, nullptr);
    FAIL() << "declared again with other properties";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'list-150'"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(session_.queue("list-0").has_value());
}

TEST_F(ListsOnBroker, WhoeverIsToldCanEndIt) {
  EXPECT_THROW(session_.declare(queues_, [](std::size_t) { throw std::runtime_error("enough"); }),
               std::runtime_error);
  EXPECT_TRUE(session_.queue("list-0").has_value());
  EXPECT_FALSE(session_.queue("list-299").has_value());
}

}  // namespace
}  // namespace brokerlab::amqp
