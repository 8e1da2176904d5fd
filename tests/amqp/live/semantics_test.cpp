// What a RabbitMQ does with messages of a consumer that is gone, by priority, and for a single active
// consumer.
#include "live_fixture.h"

namespace brokerlab::amqp {
namespace {

class Semantics : public LiveTest {
 protected:
  // A queue that outlives connections; quorum queues cannot be exclusive.
  std::string durable_queue(Channel& channel, const std::string& type) {
    QueueDeclaration declaration;
    declaration.name =
        std::string("semantics-") + testing::UnitTest::GetInstance()->current_test_info()->name();
    declaration.durable = true;
    declaration.arguments = {{"x-queue-type", type}};
    EXPECT_TRUE(wait_for([&](Done done) {
                  channel.declare(declaration,
                                  [done](const Outcome& outcome, const QueueStatus&) { done(outcome); });
                }).ok());
    return declaration.name;
  }

  void remove_queue(Channel& channel, const std::string& name) {
    EXPECT_TRUE(wait_for([&](Done done) {
                  channel.delete_queue(name, false, false,
                                       [done](const Outcome& outcome, std::uint32_t) { done(outcome); });
                }).ok());
  }

  // The headers of a message whose first consumer vanished with its connection, as the second one gets them.
  Json headers_after_a_lost_consumer(const std::string& type) {
    auto connection = connected();
    auto& out = channel(*connection);
    const auto name = durable_queue(out, type);
    publish(out, name, "once more");
    {
      auto first = connected();
      Inbox inbox;
      EXPECT_TRUE(consume(channel(*first), name, inbox, false).ok());
      EXPECT_TRUE(run_until([&] { return inbox.items.size() == 1; }));
    }  // dropped without a word, as by SIGKILL
    Inbox second;
    Json headers;
    second.react = [&](const Delivery& delivery) { headers = delivery.properties().headers; };
    EXPECT_TRUE(consume(out, name, second, false).ok());
    EXPECT_TRUE(run_until([&] { return second.items.size() == 1; }));
    EXPECT_TRUE(!second.items.empty() && second.items[0].redelivered);
    remove_queue(out, name);
    return headers;
  }
};

TEST_F(Semantics, AQuorumQueueCountsDeliveries) {
  EXPECT_EQ(headers_after_a_lost_consumer("quorum").value("x-delivery-count", -1), 1);
}

TEST_F(Semantics, AClassicQueueOnlyMarksThem) {
  EXPECT_FALSE(headers_after_a_lost_consumer("classic").contains("x-delivery-count"));
}

TEST_F(Semantics, HigherPrioritiesOvertakeWhatWaits) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto name = queue(out, {{"x-max-priority", 5}});
  for (const int priority : {1, 5, 3, 5, 0}) {
    Properties properties;
    properties.priority = static_cast<std::uint8_t>(priority);
    auto message = to("", name, properties);
    out.publish(message, {}, bytes(std::to_string(priority)));
  }
  ASSERT_TRUE(wait_for([&](Done done) { out.qos(1, false, done); }).ok());
  Inbox inbox;
  inbox.react = [&](const Delivery& delivery) { out.ack(delivery.tag); };
  ASSERT_TRUE(consume(out, name, inbox, false).ok());
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 5; }));
  std::string order;
  for (const Inbox::Item& item : inbox.items) order += item.body;
  EXPECT_EQ(order, "55310");
}

TEST_F(Semantics, TheNextConsumerTakesOverFromTheSingleActiveOne) {
  auto connection = connected();
  auto& out = channel(*connection);
  QueueDeclaration declaration;
  declaration.name = "semantics-single-active";
  declaration.arguments = {{"x-single-active-consumer", true}};
  ASSERT_TRUE(wait_for([&](Done done) {
                out.declare(declaration,
                            [done](const Outcome& outcome, const QueueStatus&) { done(outcome); });
              }).ok());
  Inbox active, waiting;
  auto first = connected();
  ASSERT_TRUE(consume(channel(*first), declaration.name, active, false).ok());
  ASSERT_TRUE(consume(out, declaration.name, waiting, false).ok());
  for (const char* body : {"a", "b", "c"}) publish(out, declaration.name, body);
  ASSERT_TRUE(run_until([&] { return active.items.size() == 3; }));
  EXPECT_TRUE(waiting.items.empty());
  first.reset();
  ASSERT_TRUE(run_until([&] { return waiting.items.size() == 3; }));
  EXPECT_EQ(waiting.items[0].body, "a");
  EXPECT_TRUE(waiting.items[0].redelivered);
  publish(out, declaration.name, "d");
  ASSERT_TRUE(run_until([&] { return waiting.items.size() == 4; }));
  EXPECT_FALSE(waiting.items[3].redelivered);
  remove_queue(out, declaration.name);
}

}  // namespace
}  // namespace brokerlab::amqp
