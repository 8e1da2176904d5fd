#include "analysis/summary.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/error.h"
#include "core/histogram.h"
#include "tests/analysis/recorded_fixture.h"

namespace brokerlab {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;

class Summary : public RecordedFixture {
 protected:
  // 100 messages 10 ms apart, to two workers in turn, each received 2 ms after it was due.
  void work(int messages = 100) {
    RecordingWriter& emitter = load();
    RecordingWriter* workers[] = {&role("worker-0", 0), &role("worker-1", 1)};
    for (int i = 0; i < messages; ++i) {
      const auto sequence = static_cast<std::uint32_t>(i);
      publish(emitter, sequence, i * 10 * kMs);
      deliver(*workers[i % 2], sequence, i * 10 * kMs, i * 10 * kMs + 2 * kMs, (i % 2 ? 1 : 9) * kMs);
    }
  }
};

TEST_F(Summary, MeasuresAPlainRun) {
  work();
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("verdict").at("status"), "valid") << run.at("verdict").dump();
  EXPECT_EQ(run.at("ledger").at("published"), 100);
  EXPECT_EQ(run.at("ledger").at("lost"), 0);
  EXPECT_THAT(run.at("rates").at("published_per_s").get<double>(), DoubleNear(100, 0.1));
  EXPECT_THAT(run.at("rates").at("offered_per_s").get<double>(), DoubleNear(100, 0.1));
  const Json& latency = run.at("latency");
  EXPECT_EQ(latency.at("end_to_end").at("count"), 100);
  EXPECT_THAT(latency.at("end_to_end").at("p50_ns").get<double>(), DoubleNear(2e6, 2e3));
  EXPECT_THAT(latency.at("delivery").at("p50_ns").get<double>(), DoubleNear(1.999e6, 2e3));
  EXPECT_THAT(latency.at("confirm").at("p50_ns").get<double>(), DoubleNear(1e6, 1e3));
  EXPECT_THAT(latency.at("confirm_from_intended").at("p50_ns").get<double>(), DoubleNear(1.001e6, 1e3));
  EXPECT_TRUE(latency.at("end_to_end").at("p90_ns").is_number()) << "ten samples lie beyond it";
  EXPECT_TRUE(latency.at("end_to_end").at("p99_ns").is_null()) << "one sample lies beyond it";
  EXPECT_FALSE(latency.contains("by_role")) << "there is one role only";
  EXPECT_EQ(Histogram::decode(latency.at("end_to_end").at("hdr").get<std::string>()).count(), 100);
  EXPECT_THAT(run.at("fairness").at("by_messages").at("jain").get<double>(), DoubleNear(1, 1e-12));
  EXPECT_THAT(run.at("fairness").at("by_busy_time").at("jain").get<double>(), DoubleNear(0.61, 0.001));
  EXPECT_THAT(run.at("makespan_ns").get<double>(), DoubleNear(993e6, 1e4));
  EXPECT_EQ(run.at("network").at("amplification"), 1.0);
  EXPECT_EQ(run.at("network").at("per_task").at("messages"), 2.0);
  EXPECT_FALSE(run.at("network").contains("bytes")) << "nothing counted bytes: not measured, and not 0";
  EXPECT_FALSE(run.contains("gantt")) << "no effort, no work to show";
  EXPECT_EQ(state(run, "LITTLE_MISMATCH"), "pass");
  EXPECT_EQ(state(run, "HICCUP"), "unmeasured");
}

TEST_F(Summary, WriteBlockRunsUntilTheKernelHadTheMessage) {
  RecordingWriter& emitter = load();
  role("worker-0", 0);
  for (std::uint32_t i = 0; i < 30; ++i)
    emitter.append_publish({.intended_ns = kStart + i * kMs,
                            .sent_ns = kStart + i * kMs,
                            .settled_ns = kStart + i * kMs + 5 * kMs,
                            .sequence = i,
                            .publisher = 0,
                            .route = 0,
                            .outcome = kConfirmed,
                            .written_ns = i < 20 ? kStart + i * kMs + 3 * kMs : 0});
  close();
  const Json blocks = summarise(evidence, folder).at("latency").at("write_block");
  EXPECT_EQ(blocks.at("count"), 20) << "of the others nobody knows";
  EXPECT_THAT(blocks.at("p50_ns").get<double>(), DoubleNear(3e6, 3e3));
}

// 2,000 messages 1 ms apart; the first fifth of them waits 50 ms, the others 2 ms with some noise.
class SteadyPartOfALoad : public Summary {
 protected:
  static constexpr std::uint32_t kMessages = 2000;

  Json run_with(const std::function<Nanoseconds(std::uint32_t)>& age) {
    RecordingWriter& emitter = load();
    RecordingWriter& worker = role("worker-0", 0);
    for (std::uint32_t i = 0; i < kMessages; ++i) {
      publish(emitter, i, i * kMs);
      deliver(worker, i, i * kMs, i * kMs + age(i));
    }
    evidence["phases"]["load_end_ns"] = kStart + kMessages * kMs;
    close();
    return summarise(evidence, folder);
  }
  static Nanoseconds noisy(std::uint32_t i) { return 2 * kMs + (i * 37 % 11) * 100'000; }
};

TEST_F(SteadyPartOfALoad, BeginsBehindTheWarmUp) {
  const Json run = run_with([](std::uint32_t i) { return i < 400 ? 50 * kMs : noisy(i); });
  EXPECT_EQ(state(run, "NOT_STEADY"), "pass");
  const Json& steady = run.at("steady");
  EXPECT_THAT(steady.at("from_ns").get<double>(), DoubleNear(400e6, 110e6));
  EXPECT_GE(steady.at("from_ns").get<double>(), 400e6);
  EXPECT_EQ(steady.at("to_ns"), 2'000'000'000);
  EXPECT_LT(steady.at("end_to_end").at("max_ns").get<double>(), 4e6);
  EXPECT_GT(run.at("latency").at("end_to_end").at("max_ns").get<double>(), 49e6) << "which has them all";
  EXPECT_EQ(steady.at("done").at("count"), steady.at("end_to_end").at("count"));
}

TEST_F(SteadyPartOfALoad, IsWithheldWhereThereIsNone) {
  const Json run = run_with([](std::uint32_t i) { return static_cast<Nanoseconds>(1 + i) * kMs / 10; });
  EXPECT_EQ(state(run, "NOT_STEADY"), "fail");
  EXPECT_THAT(run.at("steady").at("withheld").get<std::string>(), HasSubstr("had not settled"));
  EXPECT_FALSE(run.at("steady").contains("end_to_end"));
}

TEST_F(SteadyPartOfALoad, IsWithheldInARunWithFaults) {
  evidence["faults"] =
      Json::array({{{"kind", "pause"}, {"target", "broker"}, {"started_ns", kStart + 5 * kMs}}});
  const Json run = run_with(noisy);
  EXPECT_EQ(state(run, "NOT_STEADY"), "unmeasured");
  EXPECT_EQ(run.at("steady").at("withheld"), "a run with faults is transient");
}

TEST_F(Summary, KeepsWarmUpOutOfLatencyButInTheLedger) {
  work();
  evidence["phases"]["measure_start_ns"] = kStart + 500 * kMs;
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("ledger").at("published"), 100);
  EXPECT_EQ(run.at("latency").at("end_to_end").at("count"), 50);
  EXPECT_EQ(run.at("latency").at("send_delay").at("count"), 50);
  EXPECT_EQ(run.at("fairness").at("consumers")[0].at("messages"), 25);
}

TEST_F(Summary, MeasuresTheCountersOfTheProcesses) {
  work();
  writers[0]->counters().bytes_out = 5000;
  writers[1]->counters().bytes_in = 7000;
  writers[0]->counters().scheduled = 110;
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("network").at("bytes"), 12000);
  EXPECT_EQ(run.at("network").at("per_task").at("bytes"), 120.0);
  EXPECT_THAT(run.at("rates").at("offered_per_s").get<double>(), DoubleNear(110, 0.1))
      << "ten were never sent";
  EXPECT_EQ(state(run, "GENERATOR_BOUND"), "fail");
  EXPECT_THAT(flag(run, "GENERATOR_BOUND").at("detail").get<std::string>(), HasSubstr("100 of 110"));
}

TEST_F(Summary, AWorkerThatNeverGotAnythingCounts) {
  RecordingWriter& emitter = load();
  RecordingWriter& busy = role("worker-0", 0);
  role("worker-1", 1);
  for (std::uint32_t i = 0; i < 10; ++i) {
    publish(emitter, i, 0);
    deliver(busy, i, 0, 2 * kMs);
  }
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("fairness").at("consumers").size(), 2u);
  EXPECT_EQ(run.at("fairness").at("by_messages").at("jain"), 0.5);
  EXPECT_TRUE(run.at("fairness").at("by_messages").at("max_min_ratio").is_null());
}

TEST_F(Summary, AConfirmedMessageThatIsGoneIsFatal) {
  work();
  publish(*writers[0], 100, 999 * kMs);
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("ledger").at("lost"), 1);
  EXPECT_EQ(run.at("ledger").at("lost_ids"),
            Json::parse(R"([{"publisher": 0, "sequence": 100, "queue": "tasks"}])"));
  EXPECT_EQ(state(run, "CONFIRMED_LOST"), "fail");
  EXPECT_EQ(run.at("verdict").at("status"), "invalid");
}

TEST_F(Summary, AMessageNobodySentIsFatal) {
  work();
  deliver(*writers[1], 4000, 0, 2 * kMs);
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("ledger").at("unexpected"), 1);
  EXPECT_EQ(run.at("verdict").at("status"), "invalid");
}

// The known answer A2: automatic acknowledgement, the worker killed with 80 of 100 pushed to it and not done.
TEST_F(Summary, LossByADeclaredCrashIsAValidMeasurement) {
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  for (std::uint32_t i = 0; i < 100; ++i) {
    publish(emitter, i, 0);
    DeliveryRecord& record = deliver(worker, i, 0, 2 * kMs, 50 * kMs, Settlement::kAutomatic);
    record.started_ns = i <= 20 ? kStart + 2 * kMs + i * 50 * kMs : 0;
    record.done_ns = i < 20 ? record.started_ns + 50 * kMs : 0;
    record.settled_ns = record.received_ns;
  }
  evidence["roles"][0]["consume"]["ack"] = "auto";
  evidence["roles"][0]["effort"] = {{"kind", "sleep"}, {"seconds", "50ms"}};
  evidence["processes"][1]["ended_by"] = "fault";
  evidence["processes"][1]["signal"] = 9;
  evidence["faults"] = {{{"kind", "kill"},
                         {"target", "worker"},
                         {"mode", "one"},
                         {"scheduled_at_ns", 1020 * kMs},
                         {"started_ns", kStart + 1020 * kMs},
                         {"ended_ns", kStart + 1020 * kMs},
                         {"process", "worker-0"}}};
  close({"worker-0"});
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("ledger").at("done"), 20);
  EXPECT_EQ(run.at("ledger").at("lost"), 80);
  EXPECT_EQ(run.at("ledger").at("lost_by_design"), 80);
  EXPECT_EQ(run.at("ledger").at("lost_ids").size(), 80u);
  EXPECT_EQ(state(run, "CONFIRMED_LOST"), "pass");
  EXPECT_EQ(run.at("verdict").at("status"), "valid") << run.at("verdict").dump();
  const Json& recovery = run.at("recovery").at(0);
  EXPECT_EQ(recovery.at("unacked"), 0) << "the broker had been told that all were done";
  EXPECT_EQ(recovery.at("in_hand"), 80);
  EXPECT_EQ(recovery.at("wasted_work_ns"), 18 * kMs);
  EXPECT_EQ(run.at("gantt").size(), 21u);
  EXPECT_EQ(run.at("gantt")[20].at("cut"), true);
  EXPECT_EQ(run.at("gantt")[20].at("done_ns"), 1020 * kMs);
}

TEST_F(Summary, TheSameLossWithoutADeclaredFaultIsNot) {
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  for (std::uint32_t i = 0; i < 10; ++i) {
    publish(emitter, i, 0);
    deliver(worker, i, 0, 2 * kMs, 0, Settlement::kAutomatic).done_ns = i < 5 ? kStart + 3 * kMs : 0;
  }
  evidence["roles"][0]["consume"]["ack"] = "auto";
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("ledger").at("lost"), 5);
  EXPECT_FALSE(run.at("ledger").contains("lost_by_design"));
  EXPECT_EQ(run.at("verdict").at("status"), "invalid");
}

// A redelivered message counts once: from its first receipt, to its first completion.
TEST_F(Summary, RedeliveredMessagesAreMeasuredOnce) {
  RecordingWriter& emitter = load();
  RecordingWriter& killed = role("worker-0", 0);
  RecordingWriter& other = role("worker-1", 1);
  publish(emitter, 0, 0);
  publish(emitter, 1, 0);
  DeliveryRecord& first = deliver(killed, 0, 0, 2 * kMs, 0, Settlement::kNone);
  first.done_ns = first.settled_ns = 0;
  deliver(other, 1, 0, 2 * kMs, 10 * kMs);
  deliver(other, 0, 0, 30 * kMs, 10 * kMs, Settlement::kAcked, kRedelivered);
  evidence["processes"][1]["ended_by"] = "fault";
  evidence["faults"] = {{{"kind", "kill"},
                         {"target", "worker"},
                         {"process", "worker-0"},
                         {"started_ns", kStart + 20 * kMs},
                         {"ended_ns", nullptr}}};
  close({"worker-0"});
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("latency").at("end_to_end").at("count"), 2);
  EXPECT_THAT(run.at("latency").at("end_to_end").at("max_ns").get<double>(), DoubleNear(2e6, 2e3));
  EXPECT_EQ(run.at("latency").at("done").at("count"), 2);
  EXPECT_THAT(run.at("latency").at("done").at("max_ns").get<double>(), DoubleNear(40.002e6, 4e4));
  EXPECT_EQ(run.at("ledger").at("duplicates"), 1);
  EXPECT_EQ(run.at("ledger").at("lost"), 0);
  const Json& recovery = run.at("recovery").at(0);
  EXPECT_EQ(recovery.at("redelivered"), 1);
  EXPECT_EQ(recovery.at("unacked"), 1);
  EXPECT_EQ(recovery.at("first_redelivery_ns"), 10 * kMs);
  EXPECT_EQ(recovery.at("wasted_work_ns"), 20 * kMs - 2 * kMs - 1000);
  EXPECT_FALSE(recovery.contains("ended_ns"));
  EXPECT_EQ(run.at("verdict").at("status"), "valid") << run.at("verdict").dump();
}

TEST_F(Summary, WithoutADrainTheVerdictIsUnknown) {
  work();
  evidence["drained"] = false;
  evidence["drain_reason"] = "3 messages after 30 s";
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("verdict").at("status"), "unknown");
  EXPECT_THAT(run.at("verdict").at("reasons").dump(), HasSubstr("3 messages after 30 s"));
  EXPECT_EQ(state(run, "UNDRAINED"), "fail");
}

TEST_F(Summary, AnIncompleteRecordingNobodyDeclaredMakesItUnknown) {
  work();
  evidence["processes"][1]["ended_by"] = "died";
  close({"worker-0"});
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("verdict").at("status"), "unknown");
  EXPECT_EQ(run.at("ledger").at("done"), 100) << "what was measured is kept";
}

TEST_F(Summary, AMissingRecordingMakesItUnknownAndNotInvalid) {
  work();
  close();
  std::filesystem::remove(folder / "emitter-0.rec");
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("verdict").at("status"), "unknown") << run.at("verdict").dump();
}

TEST_F(Summary, AFaultMayHitSeveralProcesses) {
  RecordingWriter& emitter = load();
  for (std::uint32_t i = 0; i < 2; ++i) {
    RecordingWriter& worker = role("worker-" + std::to_string(i), i);
    publish(emitter, i, 0);
    deliver(worker, i, 0, 2 * kMs, 0, Settlement::kAutomatic).done_ns = 0;
    evidence["processes"][i + 1]["ended_by"] = "fault";
  }
  evidence["roles"][0]["consume"]["ack"] = "auto";
  evidence["faults"] = {{{"kind", "kill"},
                         {"target", "worker"},
                         {"process", "worker-0"},
                         {"processes", {"worker-0", "worker-1"}},
                         {"started_ns", kStart + 20 * kMs}}};
  close({"worker-0", "worker-1"});
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("recovery").at(0).at("in_hand"), 2);
  EXPECT_EQ(run.at("ledger").at("lost_by_design"), 2);
  EXPECT_EQ(run.at("faults").at(0).at("processes").size(), 2u);
  EXPECT_EQ(run.at("verdict").at("status"), "valid") << run.at("verdict").dump();
}

TEST_F(Summary, APhaseThatWasNeverReachedIsAbsent) {
  work();
  evidence["phases"]["load_end_ns"] = 0;
  close();
  EXPECT_FALSE(summarise(evidence, folder).at("phase_ns").contains("load_end"));
}

// A declared kill explains a recording that is cut short, never one whose bytes are wrong.
TEST_F(Summary, ADamagedRecordingMakesItUnknownEvenOfAKilledProcess) {
  work();
  evidence["processes"][1]["ended_by"] = "fault";
  close({"worker-0"});
  std::fstream file(folder / "worker-0.rec", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(0);
  file.write("nonsense", 8);
  file.close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("verdict").at("status"), "unknown");
  EXPECT_THAT(run.at("verdict").at("reasons").dump(), HasSubstr("worker-0"));
}

TEST_F(Summary, LateSendsAreTheGenerators) {
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  for (std::uint32_t i = 0; i < 100; ++i) {
    publish(emitter, i, i * kMs, kConfirmed, 12 * kMs);
    deliver(worker, i, i * kMs, i * kMs + 14 * kMs);
  }
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(state(run, "GENERATOR_BOUND"), "fail");
  EXPECT_EQ(state(run, "LATE_CATCHUP"), "fail");
  EXPECT_THAT(flag(run, "GENERATOR_BOUND").at("detail").get<std::string>(), HasSubstr("send_delay p99 12"));
  EXPECT_EQ(run.at("verdict").at("status"), "valid") << "slow is not wrong";
}

TEST_F(Summary, NegativeLatenciesAreCountedAndFlagged) {
  work();
  publish(*writers[0], 100, 995 * kMs);
  deliver(*writers[1], 100, 995 * kMs, 990 * kMs);
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(state(run, "NEGATIVE_LATENCY"), "fail");
  EXPECT_EQ(run.at("latency").at("end_to_end").at("negative"), 1);
  EXPECT_EQ(run.at("latency").at("end_to_end").at("count"), 100);
}

TEST_F(Summary, NamesAPrefetchLimitThatDoesNothing) {
  work();
  evidence["roles"][0]["consume"]["ack"] = "auto";
  close();
  EXPECT_EQ(state(summarise(evidence, folder), "PREFETCH_IGNORED"), "fail");
}

TEST_F(Summary, ReadsEvents) {
  work();
  const auto event = [&](std::size_t process, EventKind kind, Nanoseconds at, Nanoseconds end,
                         std::int64_t value = 0) {
    EventRecord& record = writers[process]->append_event();
    record = {kStart + at, end < 0 ? 0 : kStart + end, static_cast<std::uint32_t>(kind), 0, value};
  };
  event(0, EventKind::kConnectionBlocked, 100 * kMs, 300 * kMs);
  event(1, EventKind::kReconnect, 100 * kMs, 200 * kMs);
  event(1, EventKind::kConsuming, 50 * kMs, 50 * kMs);
  event(2, EventKind::kConsuming, -50 * kMs, -50 * kMs);
  event(0, EventKind::kHiccup, 0, 0, 3 * kMs);
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(flag(run, "CONNECTION_BLOCKED").at("value"), 200e6);
  EXPECT_EQ(flag(run, "RECONNECT").at("value"), 1);
  EXPECT_EQ(flag(run, "CONSUMERS_NOT_READY").at("value"), 1) << "worker-0 subscribed 50 ms late";
  EXPECT_EQ(state(run, "HICCUP"), "pass");
  EXPECT_EQ(flag(run, "HICCUP").at("value"), 3e6);
}

TEST_F(Summary, TwoRolesHaveLatenciesOfTheirOwn) {
  evidence["roles"].push_back({{"role", "audit"}, {"consume", {{"queue", "audit"}}}});
  evidence["queues"].push_back({{"name", "audit"}, {"consumed", true}, {"ready_at_end", 0}});
  evidence["routes"] = {
      {{"exchange", ""}, {"routing_key", "tasks"}, {"queues", {"tasks", "audit"}}, {"delivery", "all"}}};
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  RecordingWriter& audit = role("audit-0", 0, "audit", "audit");
  for (std::uint32_t i = 0; i < 40; ++i) {
    publish(emitter, i, i * kMs);
    deliver(worker, i, i * kMs, i * kMs + 2 * kMs);
    deliver(audit, i, i * kMs, i * kMs + 8 * kMs);
  }
  close();
  const Json run = summarise(evidence, folder);
  const Json& latency = run.at("latency");
  EXPECT_EQ(latency.at("end_to_end").at("count"), 80);
  EXPECT_THAT(latency.at("by_role").at("worker").at("end_to_end").at("p50_ns").get<double>(),
              DoubleNear(2e6, 2e3));
  EXPECT_THAT(latency.at("by_role").at("audit").at("end_to_end").at("p50_ns").get<double>(),
              DoubleNear(8e6, 8e3));
  EXPECT_EQ(run.at("network").at("amplification"), 2.0);
  EXPECT_EQ(run.at("ledger").at("copies"), 80);
}

TEST_F(Summary, HasFiftyToTwoHundredPoints) {
  work();
  close();
  const Json series = summarise(evidence, folder).at("series");
  EXPECT_GE(series.at("offered_per_s").size(), 50u);
  EXPECT_LE(series.at("offered_per_s").size(), 200u);
  EXPECT_EQ(series.at("interval_ns"), 5 * kMs);
  EXPECT_EQ(series.at("offered_per_s")[0], 200.0);
  EXPECT_EQ(series.at("offered_per_s")[1], 0.0);
  EXPECT_EQ(series.at("backlog").back(), 0.0);
  EXPECT_TRUE(series.at("end_to_end_p50_ns")[0].is_null()) << "one sample has no median";
  EXPECT_THAT(series.at("end_to_end_max_ns")[0].get<double>(), DoubleNear(2e6, 1));
}

TEST_F(Summary, NothingAtAllIsUnknown) {
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("verdict").at("status"), "unknown");
  EXPECT_TRUE(run.at("rates").empty());
  EXPECT_TRUE(run.at("latency").empty());
  EXPECT_FALSE(run.contains("makespan_ns"));
}

TEST_F(Summary, RefusesEvidenceThatIsNone) { EXPECT_THROW(summarise(Json::object(), folder), Error); }

}  // namespace
}  // namespace brokerlab
