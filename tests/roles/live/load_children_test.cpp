#include <algorithm>

#include "tests/roles/live/live_run.h"

namespace brokerlab {
namespace {

class LoadChildren : public LiveRun {};

// Known answer A4: unroutable messages are confirmed, and mandatory ones come back before.
TEST_F(LoadChildren, UnroutableMessagesComeBack) {
  Json spec = load_spec(10, 1000);
  spec["publish"]["routing_key"] = "nobody";
  EXPECT_EQ(with_outcome(publish_all(spec), kConfirmed | kReturned), 10U);
  spec["publish"]["mandatory"] = false;
  EXPECT_EQ(with_outcome(publish_all(spec), kConfirmed), 10U);
  spec["confirms"] = {{"enabled", false}};
  EXPECT_EQ(with_outcome(publish_all(spec), kUnconfirmedByDesign), 10U);
}

// Whoever looks at the queue after that must find them: a drain would end too early. What is asked of a queue
// overtakes what is delivered to it, and the broker lets 400 messages wait at each of two hops: for the
// channel, and for the queue.
TEST_F(LoadChildren, WithoutConfirmsTheLoadIsDoneWhenTheBrokerHasEveryMessage) {
  constexpr std::uint32_t kMessages = 50'000, kCredit = 2 * 400;
  Json spec = load_spec(kMessages, 1);
  spec["arrivals"] = {{"process", "closed"}};
  spec["confirms"] = {{"enabled", false}};
  const Json assignment = run_.load(spec);
  ChildUnderTest load(assignment);
  load.wait_for("ready");
  start(load);
  load.wait_for("load_done");
  EXPECT_GE(ready_messages() + kCredit, kMessages);
  load.stop();
}

// The last transaction is committed although it is not full.
TEST_F(LoadChildren, ACommitSettlesItsMessages) {
  Json spec = load_spec(25, 1000);
  spec["transaction"] = 10;
  const std::vector<PublishRecord> published = publish_all(spec);
  ASSERT_EQ(published.size(), 25U);
  EXPECT_EQ(with_outcome(published, kConfirmed), 25U);
  EXPECT_EQ(published[0].settled_ns, published[9].settled_ns);
  EXPECT_GT(published[10].settled_ns, published[9].settled_ns);
  EXPECT_EQ(ready_messages(), 25U);
}

TEST_F(LoadChildren, AClosedLoopKeepsItsNumberInFlight) {
  Json spec = load_spec(300, 1);
  spec["arrivals"] = {{"process", "closed"}, {"outstanding", 2}};
  const std::vector<PublishRecord> published = publish_all(spec);
  ASSERT_EQ(published.size(), 300U);
  EXPECT_EQ(with_outcome(published, kConfirmed), 300U);
  for (std::size_t i = 2; i < published.size(); ++i) {
    const Nanoseconds first_free = std::min(published[i - 1].settled_ns, published[i - 2].settled_ns);
    EXPECT_LE(first_free, published[i].sent_ns);
    EXPECT_EQ(published[i].intended_ns, published[i].sent_ns);
  }
}

TEST_F(LoadChildren, ManyPublishersShareAConnectionAndAProcess) {
  Json spec = load_spec(2, 1);
  spec["instances"] = 1000;
  const Json assignment = run_.load(spec);
  ChildUnderTest load(assignment);
  load.wait_for("ready");
  load.wait_for("progress");
  const auto cpu_before = load.progress().at("cpu_ns").get<Nanoseconds>();
  start(load);
  load.wait_for("load_done");
  load.wait_for("progress");
  printf("1000 publishers at 1/s: %.1f MB resident, %.1f ms of processor per second\n",
         load.progress().at("rss_bytes").get<double>() / 1e6,
         static_cast<double>(load.progress().at("cpu_ns").get<Nanoseconds>() - cpu_before) / 2e6);
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LT(load.progress().at("rss_bytes").get<std::int64_t>(), 60'000'000);
#endif
  load.stop();
  std::vector<PublishRecord> published = publishes(assignment);
  ASSERT_EQ(published.size(), 2000U);
  EXPECT_EQ(with_outcome(published, kConfirmed), 2000U);
  std::sort(published.begin(), published.end(),
            [](const auto& a, const auto& b) { return a.intended_ns < b.intended_ns; });
  for (std::size_t i = 1; i < published.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(published[i].intended_ns - published[i - 1].intended_ns), 1e6, 1);
  }
}

// The broker stands still for a while: late messages keep their intended times and none is left out.
TEST_F(LoadChildren, AStallDelaysMessagesAndDropsNone) {
  Json spec = load_spec(600, 1000);
  spec["confirms"] = {{"window", 20}};
  const Json assignment = run_.load(spec);
  ChildUnderTest load(assignment);
  load.wait_for("ready");
  start(load);
  load.wait_for_progress("published", 50);
  amqp::LiveBroker::instance().pause();
  const std::int64_t published_then = load.progress().at("published").get<std::int64_t>();
  do {
    load.wait_for("progress");
  } while (load.progress().at("scheduled").get<std::int64_t>() <
           std::min<std::int64_t>(published_then + 200, 600));
  EXPECT_LT(load.progress().at("published"), load.progress().at("scheduled"));
  amqp::LiveBroker::instance().resume();
  load.wait_for("load_done");
  load.stop();
  const std::vector<PublishRecord> published = publishes(assignment);
  ASSERT_EQ(published.size(), 600U);
  EXPECT_EQ(with_outcome(published, kConfirmed), 600U);
  EXPECT_EQ(published[599].intended_ns - published[0].intended_ns, 599'000'000);
  EXPECT_FALSE(events(assignment, EventKind::kConfirmWindowHit).empty());
  EXPECT_FALSE(events(assignment, EventKind::kLateCatchUp).empty());
  EXPECT_EQ(run_.recording(assignment).counters().scheduled, 600);
}

TEST_F(LoadChildren, WhatWasDueAndCouldNotGoIsVisibleAfterAStop) {
  Json spec = load_spec(100'000, 1000);
  spec["confirms"] = {{"window", 1}};
  const Json assignment = run_.load(spec);
  ChildUnderTest load(assignment);
  load.wait_for("ready");
  amqp::LiveBroker::instance().pause();
  start(load);
  load.wait_for_progress("scheduled", 300);
  load.send({{"stop", true}});
  amqp::LiveBroker::instance().resume();
  load.wait_for("done");
  EXPECT_EQ(load.wait_for_end(), 0);
  EXPECT_GE(run_.recording(assignment).counters().scheduled, 300);
  EXPECT_LT(publishes(assignment).size(), 300U);
}

TEST_F(LoadChildren, ABrokerOutOfReachIsAnErrorWithoutThePassword) {
  Json assignment = run_.load(load_spec(1, 1));
  assignment["broker"]["uri"] = "amqp://guest:canary-secret@127.0.0.1:1/";
  assignment["broker"]["reconnect"] = {{"tries", 1}, {"delay_s", 0.01}};
  ChildUnderTest load(assignment);
  const Json error = load.wait_for("error");
  EXPECT_EQ((error.dump() + load.notices()).find("canary-secret"), std::string::npos);
  EXPECT_NE(error.at("where").get<std::string>().find("127.0.0.1:1"), std::string::npos) << error.dump();
  EXPECT_EQ(load.wait_for_end(), 1);
}

}  // namespace
}  // namespace brokerlab
