#include <map>

#include "core/operation.h"
#include "tests/roles/live/live_run.h"

namespace brokerlab {
namespace {

class ChurnChildren : public LiveRun {
 protected:
  // Five of a kind, a hundred a second, from start to end.
  std::vector<Operation> churned(const Json& entry) {
    Json spec = {{"name", entry.at("kind")},
                 {"arrivals", {{"process", "constant"}, {"rate", 100}}},
                 {"hold", "20ms"},
                 {"stop", {{"count", 5}}}};
    spec.update(entry);
    const Json assignment = run_.churn(spec);
    ChildUnderTest churn(assignment);
    churn.wait_for("ready");
    start(churn);
    churn.wait_for("load_done");
    churn.stop();
    figures_ = churn.progress();
    std::vector<Operation> records;
    run_.recording(assignment).each_event([&](auto some) {
      for (const EventRecord& event : some) {
        if (const auto operation = Operation::of(event)) records.push_back(*operation);
      }
    });
    return records;
  }

  // As many opened as closed, all answered, each closed only when it had been held.
  void expect_balance(const std::vector<Operation>& records, OperationKind opening) {
    std::map<OperationKind, int> done;
    for (const Operation& record : records) {
      EXPECT_EQ(record.outcome, OperationOutcome::kDone);
      EXPECT_GE(record.started_ns, record.intended_ns);
      EXPECT_GT(record.ended_ns, record.started_ns);
      ++done[record.kind];
    }
    const auto closing = static_cast<OperationKind>(static_cast<int>(opening) + 1);
    EXPECT_EQ(done, (std::map<OperationKind, int>{{opening, 5}, {closing, 5}}));
    EXPECT_EQ(figures_.at("opened"), 5);
    EXPECT_EQ(figures_.at("closed"), 5);
    EXPECT_EQ(figures_.at("failed"), 0);
    EXPECT_EQ(figures_.at("open"), 0);
  }

  Json figures_;
};

TEST_F(ChurnChildren, WhatIsOpenedIsClosedAgain) {
  expect_balance(churned({{"kind", "connection"}}), OperationKind::kConnectionOpen);
  expect_balance(churned({{"kind", "channel"}}), OperationKind::kChannelOpen);
  expect_balance(churned({{"kind", "queue"}}), OperationKind::kQueueDeclare);
  expect_balance(churned({{"kind", "binding"}, {"exchange", "amq.direct"}, {"queue", queue_}}),
                 OperationKind::kBind);
  expect_balance(churned({{"kind", "consumer"}, {"queue", queue_}}), OperationKind::kConsume);
}

// Each failure costs the channel, which is opened again for the next one.
TEST_F(ChurnChildren, FailuresAreCountedAndEndNothing) {
  const auto records = churned({{"kind", "consumer"}, {"queue", "no-such-queue"}, {"stop", {{"count", 3}}}});
  EXPECT_EQ(records.size(), 3U);
  for (const Operation& record : records) EXPECT_EQ(record.outcome, OperationOutcome::kFailed);
  EXPECT_EQ(figures_.at("failed"), 3);
  EXPECT_EQ(figures_.at("opened"), 0);
}

// What is open when the load ends does not wait for its time.
TEST_F(ChurnChildren, StopClosesWhatIsHeld) {
  const Json assignment = run_.churn({{"name", "held"},
                                      {"kind", "channel"},
                                      {"arrivals", {{"process", "constant"}, {"rate", 100}}},
                                      {"hold", "1h"}});
  ChildUnderTest churn(assignment);
  churn.wait_for("ready");
  start(churn);
  churn.wait_for_progress("open", 10);
  churn.stop();
  EXPECT_EQ(churn.progress().at("opened"), churn.progress().at("closed"));
  EXPECT_EQ(churn.progress().at("open"), 0);
}

}  // namespace
}  // namespace brokerlab
