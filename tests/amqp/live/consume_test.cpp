#include "live_fixture.h"

namespace brokerlab::amqp {
namespace {

using Consuming = LiveTest;

TEST_F(Consuming, PrefetchBoundsWhatIsInHandUntilAcked) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto name = queue(out);
  for (int i = 0; i < 10; ++i) publish(out, name, std::to_string(i));
  ASSERT_TRUE(wait_for([&](Done done) { out.qos(3, false, done); }).ok());
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, false).ok());
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 3; }));
  // The broker answers in order: had it sent a fourth, it would be here now.
  ASSERT_TRUE(wait_for([&](Done done) { out.qos(3, false, done); }).ok());
  EXPECT_EQ(inbox.items.size(), 3U);
  EXPECT_TRUE(out.ack(inbox.items[2].tag, true));  // multiple: all three
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 6; }));
  EXPECT_EQ(inbox.items[5].body, "5");
}

TEST_F(Consuming, NackWithRequeueComesBackMarkedRedelivered) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto name = queue(out);
  publish(out, name, "again");
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, false).ok());
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 1; }));
  EXPECT_FALSE(inbox.items[0].redelivered);
  EXPECT_TRUE(out.nack(inbox.items[0].tag, false, true));
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 2; }));
  EXPECT_TRUE(inbox.items[1].redelivered);
  EXPECT_TRUE(out.ack(inbox.items[1].tag));
}

TEST_F(Consuming, RejectWithoutRequeueDeadLetters) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto graveyard = queue(out);
  const auto name = queue(out, {{"x-dead-letter-exchange", ""}, {"x-dead-letter-routing-key", graveyard}});
  publish(out, name, "bad");
  Inbox inbox, dead;
  ASSERT_TRUE(consume(out, name, inbox, false).ok());
  ASSERT_TRUE(consume(out, graveyard, dead, true).ok());
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 1; }));
  EXPECT_TRUE(out.reject(inbox.items[0].tag, false));
  ASSERT_TRUE(run_until([&] { return dead.items.size() == 1; }));
  EXPECT_EQ(dead.items[0].body, "bad");
  // x-death stands before it in the headers now: the stamp must still be found.
  ASSERT_TRUE(dead.items[0].stamp.has_value());
  EXPECT_EQ(dead.items[0].stamp->publisher, 3U);
}

TEST_F(Consuming, GetTakesOneAndSaysHowManyAreLeft) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto name = queue(out);
  publish(out, name, "one");
  publish(out, name, "two");
  std::string body;
  std::uint32_t left = 99;
  const auto get = [&] {
    body = "(none)";
    return wait_for([&](Done done) {
      out.get(name, true,
              [&, done](const Outcome& outcome, const Delivery* delivery, std::uint32_t remaining) {
                if (delivery != nullptr) body = delivery->body_text();
                left = remaining;
                done(outcome);
              });
    });
  };
  ASSERT_TRUE(get().ok());
  EXPECT_EQ(body, "one");
  EXPECT_EQ(left, 1U);
  ASSERT_TRUE(get().ok());
  EXPECT_EQ(body, "two");
  ASSERT_TRUE(get().ok());
  EXPECT_EQ(body, "(none)");
}

TEST_F(Consuming, SeveralConsumersOfOneChannelGetTheirOwn) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto first = queue(out), second = queue(out);
  Inbox a, b;
  ASSERT_TRUE(consume(out, first, a, true).ok());
  ASSERT_TRUE(consume(out, second, b, true).ok());
  for (int i = 0; i < 20; ++i) publish(out, i % 3 == 0 ? first : second, std::to_string(i));
  ASSERT_TRUE(run_until([&] { return a.items.size() + b.items.size() == 20; }));
  EXPECT_EQ(a.items.size(), 7U);
  EXPECT_EQ(a.items[1].body, "3");
}

TEST_F(Consuming, CancelEndsDeliveriesAndLeavesTheRestInTheQueue) {
  auto connection = connected();
  Notes notes;
  auto& out = channel(*connection, &notes);
  ASSERT_TRUE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
  const auto name = queue(out);
  Inbox inbox;
  std::string tag;
  ASSERT_TRUE(consume(out, name, inbox, true, &tag).ok());
  ASSERT_TRUE(wait_for([&](Done done) { out.cancel(tag, done); }).ok());
  publish(out, name, "stays");
  ASSERT_TRUE(run_until([&] { return notes.settled_through == 1; }));  // it is in the queue
  std::uint32_t left = 0;
  QueueDeclaration passive;
  passive.name = name;
  passive.passive = true;
  ASSERT_TRUE(wait_for([&](Done done) {
                out.declare(passive, [&, done](const Outcome& outcome, const QueueStatus& status) {
                  left = status.messages;
                  done(outcome);
                });
              }).ok());
  EXPECT_EQ(left, 1U);
  EXPECT_TRUE(inbox.items.empty());
  EXPECT_FALSE(inbox.cancelled.has_value());
}

TEST_F(Consuming, DeletingTheQueueCancelsTheConsumer) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto name = queue(out);
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  ASSERT_TRUE(wait_for([&](Done done) {
                out.delete_queue(name, false, false,
                                 [done](const Outcome& outcome, std::uint32_t) { done(outcome); });
              }).ok());
  ASSERT_TRUE(run_until([&] { return inbox.cancelled.has_value(); }));
  EXPECT_EQ(inbox.cancelled->method, "basic.cancel");
  EXPECT_NE(inbox.cancelled->summary.find(name), std::string::npos);
  EXPECT_EQ(out.state(), Channel::State::kOpen);
}

TEST_F(Consuming, DoubleAckClosesTheChannelWithAnExplanation) {
  auto connection = connected();
  Notes notes;
  auto& out = channel(*connection, &notes);
  const auto name = queue(out);
  publish(out, name, "x");
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, false).ok());
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 1; }));
  out.ack(inbox.items[0].tag);
  out.ack(inbox.items[0].tag);
  ASSERT_TRUE(run_until([&] { return notes.closed.has_value(); }));
  EXPECT_EQ(notes.closed->code, 406);
  EXPECT_EQ(notes.closed->method, "basic.ack");
  EXPECT_NE(notes.closed->summary.find("acknowledged twice"), std::string::npos);
  EXPECT_TRUE(inbox.cancelled.has_value());
  EXPECT_EQ(out.state(), Channel::State::kClosed);
  EXPECT_EQ(publish(out, name, "x"), 0U);
  EXPECT_TRUE(connection->is_open());
  ASSERT_TRUE(wait_for([&](Done done) { out.reopen(done); }).ok());
  EXPECT_NE(publish(out, name, "x"), 0U);
  EXPECT_FALSE(out.ack(inbox.items[0].tag))
      << "a delivery of the former channel must not be acked on the new one";
}

TEST_F(Consuming, CoalescedReadsDeliverEverything) {
  auto settings = options();
  settings.read_coalescing_ns = 1'000'000;
  auto connection = connected(settings);
  auto& out = channel(*connection);
  const auto name = queue(out);
  Inbox inbox;
  ASSERT_TRUE(wait_for([&](Done done) { out.qos(500, false, done); }).ok());
  ASSERT_TRUE(consume(out, name, inbox, false).ok());
  inbox.react = [&](const Delivery& delivery) { out.ack(delivery.tag); };
  for (int i = 0; i < 20'000; ++i) publish(out, name, "b" + std::to_string(i));
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == 20'000; }));
  EXPECT_EQ(inbox.items.back().body, "b19999");
  EXPECT_LT(connection->counters().reads, 5000);
}

}  // namespace
}  // namespace brokerlab::amqp
