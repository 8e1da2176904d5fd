#include "analysis/answers.h"

#include <gmock/gmock.h>

#include <map>

#include "analysis/environment.h"
#include "analysis/report.h"
#include "analysis/result.h"
#include "analysis/summary.h"
#include "tests/analysis/recorded_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The four patterns of handing out tasks, by hand: a hundred tasks each.
class Answers : public RecordedFixture {
 protected:
  static constexpr std::uint32_t kTasks = 100;

  void begin(const std::string& variant, const std::string& ack, const std::vector<std::string>& queues) {
    evidence["variant"] = variant;
    evidence["processes"] = Json::array();
    evidence["faults"] = Json::array();
    evidence["routes"] = {
        {{"exchange", ""}, {"routing_key", "tasks"}, {"queues", queues}, {"delivery", "all"}}};
    evidence["queues"] = Json::array();
    for (const std::string& queue : queues)
      evidence["queues"].push_back(
          {{"name", queue}, {"consumed", true}, {"ready_at_end", 0}, {"unacked_at_end", 0}});
    evidence["roles"][0] = {{"role", "worker"},
                            {"consume", {{"queue", queues[0]}, {"ack", ack}}},
                            {"effort", {{"kind", "sleep"}, {"seconds", "1ms"}}}};
    plan["variants"][variant] = {{"answers", true}};
  }
  void end() {
    close();
    runs.push_back(summarise(evidence, folder));
  }

  void fanout() {
    begin("fanout", "auto", {"consumer-0", "consumer-1"});
    RecordingWriter& emitter = load();
    RecordingWriter* consumers[] = {&role("worker-0", 0, "worker", "consumer-0"),
                                    &role("worker-1", 1, "worker", "consumer-1")};
    for (std::uint32_t i = 0; i < kTasks; ++i) {
      publish(emitter, i, i * kMs);
      for (RecordingWriter* consumer : consumers)
        deliver(*consumer, i, i * kMs, i * kMs + kMs, kMs, Settlement::kAutomatic);
    }
    end();
  }

  void direct_with_an_unbound_key() {
    begin("direct", "auto", {"consumer-0"});
    RecordingWriter& emitter = load();
    RecordingWriter& consumer = role("worker-0", 0, "worker", "consumer-0");
    for (std::uint32_t i = 0; i < kTasks; ++i) {
      const bool bound = i % 2 == 0;
      publish(emitter, i, i * kMs, bound ? kConfirmed : kConfirmed | kReturned, 1000,
              bound ? 0 : kRouteUnlisted);
      if (bound) deliver(consumer, i, i * kMs, i * kMs + kMs, kMs, Settlement::kAutomatic);
    }
    end();
  }

  // `killed`: worker-1 dies by a declared fault with ten tasks in its hands that it never began.
  void work_queue(const std::string& variant, const std::string& ack, bool killed) {
    begin(variant, ack, {"tasks"});
    const bool automatic = ack == "auto";
    const Settlement settlement = automatic ? Settlement::kAutomatic : Settlement::kAcked;
    RecordingWriter& emitter = load();
    RecordingWriter* workers[] = {&role("worker-0", 0), &role("worker-1", 1), &role("worker-2", 2)};
    for (std::uint32_t i = 0; i < kTasks; ++i) {
      publish(emitter, i, i * kMs);
      const bool cut = killed && i >= 90;
      DeliveryRecord& record = deliver(*workers[cut ? 1 : i % 3], i, i * kMs, i * kMs + kMs, kMs, settlement);
      if (!cut) continue;
      record.started_ns = record.done_ns = 0;
      record.settled_ns = automatic ? record.received_ns : 0;
      record.settlement = static_cast<std::uint8_t>(automatic ? Settlement::kAutomatic : Settlement::kNone);
      if (!automatic) deliver(*workers[0], i, i * kMs, i * kMs + 20 * kMs, kMs, settlement, kRedelivered);
    }
    if (killed) {
      evidence["processes"][2]["ended_by"] = "fault";
      evidence["faults"] = {{{"kind", "kill"},
                             {"target", "worker"},
                             {"process", "worker-1"},
                             {"started_ns", kStart + 100 * kMs},
                             {"ended_ns", kStart + 100 * kMs}}};
    }
    end();
  }

  // The answers of a variant, in the order of the questions.
  std::vector<std::string> answers(const std::string& variant) {
    std::vector<std::string> texts;
    for (const Json& answer : answer_questions(runs, plan))
      if (answer.at("variant") == variant) texts.push_back(answer.at("answer").get<std::string>());
    return texts;
  }

  Json runs = Json::array();
  Json plan = Json::object();
};

TEST_F(Answers, ChangeWithThePattern) {
  fanout();
  direct_with_an_unbound_key();
  work_queue("work queue", "manual", true);
  work_queue("auto", "auto", true);

  const auto everyone = answers("fanout"), some = answers("direct"), shared = answers("work queue"),
             forgetful = answers("auto");
  for (const auto& each : {everyone, some, shared, forgetful}) ASSERT_EQ(each.size(), 5U);

  EXPECT_EQ(everyone[0],
            "Yes, in this run: all of 100 tasks had a queue, none was lost; each was delivered 2 times.");
  EXPECT_EQ(some[0], "No. 50 % of all messages had no queue to go to: 50 of 100 came back unroutable.");
  EXPECT_THAT(shared[0], StartsWith("Yes, in this run: all of 100 tasks"));
  EXPECT_THAT(forgetful[0], StartsWith("No. 10 tasks had been taken in by the broker and are gone"));

  EXPECT_THAT(everyone[1], StartsWith("No. 200 of 200 deliveries were acknowledged automatically"));
  EXPECT_THAT(shared[1], StartsWith("Yes, by its acknowledgement: 100 of 110 deliveries"));
  EXPECT_THAT(shared[1],
              HasSubstr("10 deliveries not acknowledged by the worker it was sent to were handed out"));
  EXPECT_THAT(forgetful[1], HasSubstr("10 of them nobody ever finished"));

  EXPECT_THAT(everyone[2], StartsWith("No. With automatic acknowledgement"));
  EXPECT_THAT(shared[2], StartsWith("Yes. 100 of 100 acknowledgements were written after the work was done"));
  EXPECT_THAT(forgetful[2], HasSubstr("10 tasks had been acknowledged, and their work was never done"));

  EXPECT_THAT(everyone[3], StartsWith("3 messages per task"));
  EXPECT_THAT(some[3], StartsWith("2 messages per task")) << "half were delivered, the others returned";
  EXPECT_THAT(shared[3], HasSubstr("100 went to the broker and 110 came from it, for 100 tasks"));

  EXPECT_THAT(everyone[4], StartsWith("No: each of 2 consumers has a queue of its own"));
  EXPECT_THAT(some[4], StartsWith("No: there is one consumer"));
  EXPECT_THAT(shared[4], HasSubstr("3 consumers share a queue; Jain's index is"));
  EXPECT_THAT(shared[4], HasSubstr("by busy time"));
  EXPECT_THAT(shared[4], HasSubstr("workers idled for"));
  EXPECT_THAT(shared[4], HasSubstr("1 of 3 were not there all the time"));
}

TEST_F(Answers, RestOnFiguresThatStandBesideThem) {
  direct_with_an_unbound_key();
  const Json all = answer_questions(runs, plan);
  EXPECT_EQ(all[0].at("evidence").at("ledger.returned"), 50.0);
  EXPECT_EQ(all[0].at("evidence").at("network.unroutable_share"), 0.5);
  EXPECT_EQ(all[1].at("evidence").at("ledger.settled_automatically"), 50.0);
}

// Without a full drain the ledger does not know what is lost, and neither does the answer.
TEST_F(Answers, DoNotClaimWhatWasNotMeasured) {
  begin("cut short", "manual", {"tasks"});
  evidence["drained"] = false;
  evidence["queues"][0].erase("ready_at_end");
  publish(load(), 0, 0);
  role("worker-0", 0);
  end();
  EXPECT_THAT(answers("cut short")[0], StartsWith("It cannot be told"));
  EXPECT_THAT(answers("cut short")[1], StartsWith("It cannot be told"));
}

TEST_F(Answers, AreGivenOnlyWhereTheExperimentAsks) {
  fanout();
  work_queue("quiet", "manual", false);
  plan["variants"]["quiet"]["answers"] = false;
  EXPECT_TRUE(answers("quiet").empty());
  EXPECT_EQ(answers("fanout").size(), 5U);
  EXPECT_TRUE(answer_questions(runs, Json()).empty());
}

TEST_F(Answers, StandInTheReportByQuestion) {
  fanout();
  work_queue("work queue", "manual", false);
  ResultInput input;
  input.run_id = "r1";
  input.experiment = "models";
  input.started_at = "2026-11-21T03:13:55.123Z";
  input.environment = describe_environment({});
  input.config_hash = "abc";
  input.plan = plan;
  input.runs = runs;
  const Json result = assemble_result(input);
  EXPECT_EQ(schema_errors(result), "");
  const std::string markdown = report_markdown({result});
  EXPECT_THAT(markdown, HasSubstr("## Five questions"));
  EXPECT_THAT(markdown, HasSubstr("### Can it be confirmed that a worker has taken a task on?"));
  const std::string html = report_html({result});
  EXPECT_THAT(html, HasSubstr("<h3>Five questions</h3>"));
  EXPECT_THAT(html, HasSubstr("Yes, evenly: 3 consumers share a queue"));
}

}  // namespace
}  // namespace brokerlab
