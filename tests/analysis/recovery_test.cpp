#include "analysis/recovery.h"

#include <gmock/gmock.h>

#include "analysis/summary.h"
#include "analysis/summary_text.h"
#include "tests/analysis/recorded_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

class Recovery : public RecordedFixture {
 protected:
  void fault(const char* kind, const char* target, Nanoseconds at, std::vector<std::string> processes = {},
             Nanoseconds ended = 0) {
    evidence["faults"].push_back({{"kind", kind},
                                  {"target", target},
                                  {"processes", processes},
                                  {"started_ns", kStart + at},
                                  {"ended_ns", kStart + std::max(at, ended)}});
  }
  void ended_by_fault(const std::string& name) {
    for (Json& process : evidence["processes"])
      if (process["name"] == name) process["ended_by"] = "fault";
  }
  static void event(RecordingWriter& writer, EventKind kind, Nanoseconds from, Nanoseconds to) {
    writer.append_event({kStart + from, to == 0 ? 0 : kStart + to, static_cast<std::uint32_t>(kind), 0, 0});
  }
  // Received and never heard of again.
  static void held(RecordingWriter& writer, std::uint32_t sequence, Nanoseconds received,
                   Nanoseconds started = 0) {
    DeliveryRecord& record = deliver(writer, sequence, 0, received, 0, Settlement::kNone);
    record.started_ns = started == 0 ? 0 : kStart + started;
    record.done_ns = record.settled_ns = 0;
  }
};

TEST_F(Recovery, EachLifeOfAProcessIsEndedByItsOwnFault) {
  RecordingWriter& emitter = load();
  RecordingWriter* lives[] = {&role("worker-0", 0), &role("worker-0-r1", 0), &role("worker-0-r2", 0)};
  for (std::uint32_t i = 0; i < 4; ++i) publish(emitter, i, 0);
  held(*lives[0], 0, 2 * kMs, 2 * kMs);
  held(*lives[0], 1, 2 * kMs);
  deliver(*lives[1], 0, 0, 30 * kMs, 0, Settlement::kAcked, kRedelivered);
  held(*lives[1], 1, 31 * kMs, 32 * kMs);
  deliver(*lives[2], 1, 0, 60 * kMs, 5 * kMs, Settlement::kAcked, kRedelivered);
  for (std::uint32_t i = 2; i < 4; ++i) deliver(*lives[2], i, 0, 70 * kMs);
  event(*lives[1], EventKind::kConsuming, 28 * kMs, 28 * kMs);
  event(*lives[2], EventKind::kConsuming, 58 * kMs, 58 * kMs);
  fault("kill", "worker", 40 * kMs, {"worker-0"}, 50 * kMs);  // listed first, and the second to come
  fault("kill", "worker", 10 * kMs, {"worker-0"}, 20 * kMs);
  ended_by_fault("worker-0");
  ended_by_fault("worker-0-r1");
  close({"worker-0", "worker-0-r1"});
  const Json run = summarise(evidence, folder);
  const Json &second = run["recovery"][0], &first = run["recovery"][1];
  EXPECT_EQ(first["unacked"], 2);
  EXPECT_EQ(first["unacked_redelivered"], 2);
  EXPECT_EQ(first["unacked_ids"][1], Json({{"publisher", 0}, {"sequence", 1}, {"queue", "tasks"}}));
  EXPECT_EQ(first["wasted_work_ns"], 8 * kMs);
  EXPECT_EQ(first["redelivered"], 1);
  EXPECT_EQ(first["first_redelivery_ns"], 20 * kMs);
  EXPECT_EQ(second["unacked"], 1);
  EXPECT_EQ(second["wasted_work_ns"], 8 * kMs);
  EXPECT_EQ(second["drained_ns"], 25 * kMs + 2000);
  EXPECT_EQ(run["ledger"]["lost"], 0);
  EXPECT_EQ(run_schema_errors(run), "");
  EXPECT_EQ(run["downtime"], Json::parse(R"([
    {"process": "worker-0", "cause": "process", "from_ns": 10000000, "to_ns": 28000000},
    {"process": "worker-0-r1", "cause": "process", "from_ns": 40000000, "to_ns": 58000000}])"));
}

TEST_F(Recovery, AFaultOfTheBrokerHitsEveryConsumer) {
  RecordingWriter& emitter = load();
  RecordingWriter& one = role("worker-0", 0);
  RecordingWriter& other = role("worker-1", 1);
  for (std::uint32_t i = 0; i < 3; ++i) publish(emitter, i, 0);
  deliver(one, 0, 0, 2 * kMs);  // settled before
  held(one, 1, 2 * kMs, 3 * kMs);
  DeliveryRecord& late = deliver(other, 2, 0, 2 * kMs, 20 * kMs, Settlement::kNone);  // done at 22 ms
  late.settled_ns = 0;
  deliver(other, 1, 0, 50 * kMs, 0, Settlement::kAcked, kRedelivered);
  deliver(one, 2, 0, 51 * kMs, 0, Settlement::kAcked, kRedelivered);
  event(emitter, EventKind::kReconnect, 10 * kMs, 45 * kMs);
  event(one, EventKind::kReconnect, 10 * kMs, 46 * kMs);
  event(one, EventKind::kReconnect, 10 * kMs, 48 * kMs);  // its second connection
  event(other, EventKind::kReconnect, 11 * kMs, 0);
  fault("kill", "broker", 10 * kMs, {}, 40 * kMs);
  close();
  const Json run = summarise(evidence, folder);
  const Json& entry = run["recovery"][0];
  EXPECT_EQ(entry["unacked"], 2);
  EXPECT_EQ(entry["unacked_redelivered"], 2);
  EXPECT_EQ(entry["in_hand"], 2);
  EXPECT_EQ(entry["wasted_work_ns"], 7 * kMs + 20 * kMs + 1000) << "cut short, and done in vain";
  EXPECT_EQ(entry["reconnected_ns"], 38 * kMs);
  EXPECT_EQ(run["downtime"], Json::parse(R"([
    {"process": "emitter-0", "cause": "connection", "from_ns": 10000000, "to_ns": 45000000},
    {"process": "worker-0", "cause": "connection", "from_ns": 10000000, "to_ns": 48000000},
    {"process": "worker-1", "cause": "connection", "from_ns": 11000000}])"));
}

TEST_F(Recovery, WhatAPausedProcessSettlesLaterIsNotWasted) {
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  publish(emitter, 0, 0);
  deliver(worker, 0, 0, 2 * kMs, 50 * kMs);
  fault("pause", "worker", 10 * kMs, {"worker-0"}, 40 * kMs);
  close();
  const Json entry = summarise(evidence, folder)["recovery"][0];
  EXPECT_EQ(entry["unacked"], 1);
  EXPECT_EQ(entry["unacked_redelivered"], 0);
  EXPECT_EQ(entry["wasted_work_ns"], 0);
}

TEST_F(Recovery, IsALineOfTheSummary) {
  RecordingWriter& emitter = load();
  RecordingWriter* lives[] = {&role("worker-0", 0), &role("worker-0-r1", 0)};
  publish(emitter, 0, 0);
  held(*lives[0], 0, 2 * kMs, 2 * kMs);
  deliver(*lives[1], 0, 0, 30 * kMs, 0, Settlement::kAcked, kRedelivered);
  fault("kill", "worker", 10 * kMs, {"worker-0"}, 20 * kMs);
  ended_by_fault("worker-0");
  close({"worker-0"});
  const std::string text = run_summary_text(summarise(evidence, folder));
  EXPECT_THAT(text, testing::HasSubstr("\nfault      kill worker-0 10 ms: 1 again in 20 ms, wasted 8 ms\n"));
}

TEST_F(Recovery, ARefusedMessageIsNoBacklogOnceItIsRefused) {
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  for (std::uint32_t i = 0; i < 100; ++i) {
    const bool refused = i % 4 == 0;
    publish(emitter, i, i * 10 * kMs, refused ? kNacked : kConfirmed);
    if (!refused || i == 40)
      deliver(worker, i, i * 10 * kMs, i * 10 * kMs + 2 * kMs);  // 40 came all the same
  }
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("ledger").at("recovered"), 1);
  EXPECT_EQ(run.at("series").at("backlog").back(), 0.0);
  for (const Json& waiting : run.at("series").at("backlog")) EXPECT_GE(waiting, 0.0);
}

TEST(BacklogRecovery, IsTheTimeToTheLevelBefore) {
  const std::vector<double> backlog = {4, 5, 5, 40, 80, 30, 5, 2};
  Json recovery = Json::parse(R"([{"at_ns": 30, "ended_ns": 45}])");
  add_backlog_recovery(recovery, backlog, 10);
  EXPECT_EQ(recovery[0]["backlog_back_ns"], 40) << "at the end of the seventh interval";
  recovery = Json::parse(R"([{"at_ns": 30, "ended_ns": 45}, {"at_ns": 55}])");
  add_backlog_recovery(recovery, backlog, 10);
  EXPECT_FALSE(recovery[0].contains("backlog_back_ns")) << "another fault came between";
  recovery = Json::parse(R"([{"at_ns": 70}, {"at_ns": 2000}])");
  add_backlog_recovery(recovery, backlog, 10);
  EXPECT_FALSE(recovery[0].contains("backlog_back_ns")) << "it never rose";
  EXPECT_FALSE(recovery[1].contains("backlog_back_ns")) << "beyond the series";
}

}  // namespace
}  // namespace brokerlab
