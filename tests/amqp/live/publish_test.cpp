#include <numeric>

#include "live_fixture.h"

namespace brokerlab::amqp {
namespace {

using Publishing = LiveTest;

TEST_F(Publishing, ConfirmsEveryMessageAndDeliversThemInOrder) {
  auto connection = connected();
  Notes notes;
  auto& out = channel(*connection, &notes);
  ASSERT_TRUE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
  const auto name = queue(out);
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  auto message = to("", name);
  constexpr std::uint64_t kMessages = 5000;
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    EXPECT_EQ(out.publish(message, {i, 1000 + static_cast<Nanoseconds>(i), 2000}, bytes("body")), i + 1);
  }
  ASSERT_TRUE(
      run_until([&] { return notes.settled_through == kMessages && inbox.items.size() == kMessages; }));
  for (std::uint64_t i = 0; i < kMessages; ++i) {
    ASSERT_TRUE(inbox.items[i].stamp.has_value());
    EXPECT_EQ(inbox.items[i].stamp->sequence, i);
    EXPECT_EQ(inbox.items[i].stamp->run, 77U);
    EXPECT_EQ(inbox.items[i].stamp->intended_ns, 1000 + static_cast<Nanoseconds>(i));
    EXPECT_EQ(inbox.items[i].body, "body");
  }
  EXPECT_TRUE(
      std::all_of(notes.confirms.begin(), notes.confirms.end(), [](const auto& each) { return each.acked; }));
  EXPECT_GT(connection->counters().bytes_out, 0);
  EXPECT_EQ(connection->counters().messages_out, 5000);
  EXPECT_EQ(connection->counters().messages_in, 5000);
}

TEST_F(Publishing, ReturnsAnUnroutableMessageBeforeItsConfirm) {
  auto connection = connected();
  Notes notes;
  auto& out = channel(*connection, &notes);
  ASSERT_TRUE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
  auto message = to("", "nobody-has-this-queue");
  out.publish(message, {41, 0, 0}, bytes("x"));
  ASSERT_TRUE(run_until([&] { return notes.settled_through == 1; }));
  EXPECT_EQ(notes.events, (std::vector<std::string>{"return", "confirm"}));
  EXPECT_EQ(notes.return_code, 312);
  EXPECT_EQ(notes.returned_keys, std::vector<std::string>{"nobody-has-this-queue"});
  EXPECT_EQ(notes.returned_sequence, 41);
  EXPECT_TRUE(notes.confirms[0].acked);
}

TEST_F(Publishing, ConfirmNumbersCountFromTheSelectOn) {
  auto connection = connected();
  Notes notes;
  auto& out = channel(*connection, &notes);
  const auto name = queue(out);
  EXPECT_EQ(publish(out, name, "before"), 1U);
  ASSERT_TRUE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
  EXPECT_EQ(publish(out, name, "after"), 2U);
  ASSERT_TRUE(run_until([&] { return !notes.confirms.empty(); }));
  EXPECT_EQ(notes.confirms[0].number, 2U);
}

TEST_F(Publishing, NacksWhatAFullQueueRejects) {
  auto connection = connected();
  Notes notes;
  auto& out = channel(*connection, &notes);
  ASSERT_TRUE(wait_for([&](Done done) { out.confirm_select(done); }).ok());
  const auto name = queue(out, {{"x-max-length", 1}, {"x-overflow", "reject-publish"}});
  publish(out, name, "fits");
  ASSERT_TRUE(run_until([&] { return notes.settled_through == 1; }));
  publish(out, name, "too much");
  ASSERT_TRUE(run_until([&] { return notes.settled_through == 2; }));
  EXPECT_TRUE(notes.confirms.front().acked);
  EXPECT_FALSE(notes.confirms.back().acked);
}

TEST_F(Publishing, BodiesOfEverySizeComeBackWhole) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto name = queue(out);
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  const std::size_t room = connection->frame_max() - kFrameOverhead;
  std::vector<std::string> sent;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, room - 1, room, room + 1, 2 * room,
                                 2 * room + 1, std::size_t{1} << 20, std::size_t{5} << 20}) {
    std::string body(size, 'a');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i * 31 % 23);
    publish(out, name, body);
    sent.push_back(std::move(body));
  }
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == sent.size(); }));
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_TRUE(inbox.items[i].body == sent[i]) << i;
}

TEST_F(Publishing, PropertiesTravel) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto name = queue(out, {{"x-max-priority", 5}});
  Properties sent;
  sent.content_type = "text/plain";
  sent.persistent = true;
  sent.priority = 4;
  sent.expiration = "60000";
  sent.correlation_id = "c-1";
  sent.headers = {{"text", "grün"}, {"number", -5},       {"yes", true},
                  {"half", 0.5},    {"list", {1, "two"}}, {"nested", {{"deep", 1}}}};
  auto message = to("", name, sent);
  out.publish(message, {}, bytes("x"));
  std::optional<Properties> got;
  ASSERT_TRUE(wait_for([&](Done done) {
                out.get(name, true,
                        [&got, done](const Outcome& outcome, const Delivery* delivery, std::uint32_t) {
                          if (delivery != nullptr) got = delivery->properties();
                          done(outcome);
                        });
              }).ok());
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->content_type, "text/plain");
  EXPECT_TRUE(got->persistent);
  EXPECT_EQ(got->priority, 4);
  EXPECT_EQ(got->expiration, "60000");
  EXPECT_EQ(got->correlation_id, "c-1");
  Json headers = got->headers;
  EXPECT_TRUE(headers.contains(Stamp::kHeaderName));
  headers.erase(Stamp::kHeaderName);
  EXPECT_EQ(headers, sent.headers);
}

TEST_F(Publishing, RoutingKeysOfDifferentLengthsAreCopiedIn) {
  auto connection = connected();
  auto& out = channel(*connection);
  const auto name = queue(out);
  const std::string topic = "amq.topic";
  BindingDeclaration binding;
  binding.source = topic;
  binding.destination = name;
  binding.routing_key = "#";
  ASSERT_TRUE(wait_for([&](Done done) { out.bind(binding, done); }).ok());
  Inbox inbox;
  ASSERT_TRUE(consume(out, name, inbox, true).ok());
  auto message = to(topic, "first");
  const std::vector<std::string> keys{"first", "a.much.longer.key.than.that", "", std::string(255, 'k'),
                                      "other"};
  for (std::uint64_t i = 0; i < keys.size(); ++i) {
    message.set_routing_key(keys[i]);
    out.publish(message, {i, 0, 0}, bytes(keys[i]));
  }
  ASSERT_TRUE(run_until([&] { return inbox.items.size() == keys.size(); }));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(inbox.items[i].key, keys[i]);
    EXPECT_EQ(inbox.items[i].body, keys[i]);
    EXPECT_EQ(inbox.items[i].stamp->sequence, i);
  }
}

TEST_F(Publishing, ManyChannelsShareAConnectionFairlyUnderBackpressure) {
  auto connection = connected();
  // Each publishes whenever it may, until its count is reached: none may starve, all must end.
  struct Eager : ChannelListener {
    void on_writable() override { go(); }
    void go() {
      const std::string body(2000, 'b');
      while (left > 0 && channel->writable()) {
        channel->publish(*message, {}, std::as_bytes(std::span(body.data(), body.size())));
        --left;
      }
    }
    Channel* channel = nullptr;
    PublishTemplate* message = nullptr;
    int left = 2000;
  };
  PublishTemplate message({"amq.fanout", "", false}, {}, std::nullopt);
  std::vector<Eager> publishers(8);
  for (auto& publisher : publishers) {
    publisher.channel = &channel(*connection, &publisher);
    publisher.message = &message;
  }
  std::size_t highest = 0;
  for (auto& publisher : publishers) {
    publisher.go();
    highest = std::max(highest, connection->output_bytes());
  }
  const auto done = [&] {
    highest = std::max(highest, connection->output_bytes());
    return std::all_of(publishers.begin(), publishers.end(), [](const auto& each) { return each.left == 0; });
  };
  ASSERT_TRUE(run_until(done));
  EXPECT_LE(highest, ConnectionOptions().output_limit_bytes + 70'000);
}

}  // namespace
}  // namespace brokerlab::amqp
