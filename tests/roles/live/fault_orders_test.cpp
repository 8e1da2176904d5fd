// What a role or load does when its controller tells it to misbehave, and what the broker makes of that.
#include "tests/roles/live/live_run.h"

namespace brokerlab {
namespace {

using FaultOrders = LiveRun;

TEST_F(FaultOrders, AHungRoleFinishesNothingUntilItIsEnough) {
  publish_all(load_spec(20, 1000));
  const Json assignment = run_.role(role_spec());
  ChildUnderTest worker(assignment);
  worker.send({{"hang", true}});
  worker.wait_for("ready");
  worker.wait_for_progress("received", 20);
  EXPECT_EQ(worker.progress().at("done"), 0);
  EXPECT_EQ(worker.progress().at("in_hand"), 20);
  const Nanoseconds released = clock_.now();
  worker.send({{"hang", false}});
  worker.wait_for_progress("done", 20);
  worker.stop();
  for (const DeliveryRecord& record : deliveries(assignment)) {
    EXPECT_GE(record.started_ns, released);
    EXPECT_EQ(record.settlement, static_cast<std::uint8_t>(Settlement::kAcked));
  }
  EXPECT_EQ(ready_messages(), 0U);
}

TEST_F(FaultOrders, AHungLoadPublishesLateWithTheTimesAtWhichItWasDue) {
  const Json assignment = run_.load(load_spec(50, 1000));
  ChildUnderTest load(assignment);
  load.wait_for("ready");
  load.send({{"hang", true}});
  start(load);
  load.wait_for_progress("scheduled", 50);
  EXPECT_EQ(load.progress().at("published"), 0);
  const Nanoseconds released = clock_.now();
  load.send({{"hang", false}});
  load.wait_for("load_done");
  load.stop();
  const auto records = publishes(assignment);
  EXPECT_EQ(records.size(), 50U);
  for (const PublishRecord& record : records) {
    EXPECT_LT(record.intended_ns, released);
    EXPECT_GE(record.sent_ns, released);
  }
}

TEST_F(FaultOrders, ASlowRoleTakesLongerByFactorAndAddition) {
  publish_all(load_spec(4, 1000));
  Json spec = role_spec();
  spec["effort"] = {{"kind", "sleep"}, {"seconds", "10ms"}};
  const Json assignment = run_.role(spec);
  ChildUnderTest worker(assignment);
  worker.send({{"slow", {{"factor", 3.0}, {"add_ns", 20'000'000}}}});
  worker.wait_for("ready");
  worker.wait_for_progress("done", 4);
  worker.stop();
  for (const DeliveryRecord& record : deliveries(assignment)) {
    EXPECT_GE(record.done_ns - record.started_ns, 50'000'000);
  }
}

// The broker waits for an acknowledgement as long as consumer_timeout says, here a second, and looks as often
// as its channels tick. Neither can be set for one channel: both are set on the node, for channels that open
// from now on.
class ConsumerTimeout : public FaultOrders {
 protected:
  ConsumerTimeout() { set("1000", "500"); }
  ~ConsumerTimeout() override { set("1800000", "60000"); }

 private:
  static void set(const std::string& timeout_ms, const std::string& tick_ms) {
    amqp::LiveBroker::instance().control("eval 'application:set_env(rabbit, consumer_timeout, " + timeout_ms +
                                         "), application:set_env(rabbit, channel_tick_interval, " + tick_ms +
                                         ").'");
  }
};

TEST_F(ConsumerTimeout, ClosesTheChannelOfAHungRoleWhichSubscribesAgain) {
  publish_all(load_spec(3, 1000));
  const Json assignment = run_.role(role_spec());
  ChildUnderTest worker(assignment);
  worker.send({{"hang", true}});
  worker.wait_for("ready");
  worker.wait_for_progress("received", 6);  // three, and after the timeout the same three again
  EXPECT_NE(worker.notices().find("406"), std::string::npos) << worker.notices();
  worker.send({{"hang", false}});
  worker.wait_for_progress("done", 3);
  worker.stop();
  const auto closed = events(assignment, EventKind::kChannelError);
  ASSERT_GE(closed.size(), 1U);
  EXPECT_EQ(closed[0].value, 406);
  EXPECT_GT(closed[0].ended_ns, closed[0].at_ns);                   // the gap without a subscription
  EXPECT_EQ(events(assignment, EventKind::kReconnect).size(), 0U);  // heartbeats went on
  EXPECT_EQ(ready_messages(), 0U);
}

}  // namespace
}  // namespace brokerlab
