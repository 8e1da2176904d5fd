#include "analysis/pipeline.h"

#include <gmock/gmock.h>

#include <optional>

#include "analysis/summary.h"
#include "core/stamp.h"
#include "tests/analysis/recorded_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;

// Roles on queues of their own, and messages that they pass on to each other: the assignment correction, by
// hand.
class Pipeline : public RecordedFixture {
 protected:
  struct Message {
    std::uint32_t publisher = 0, sequence = 0;
    std::uint16_t hops = 0;
    Nanoseconds intended = 0;
    std::optional<Stamp::Origin> origin;
  };
  struct Stage {
    RecordingWriter* writer;
    std::uint32_t publisher;
    std::uint32_t published = 0;
  };

  static constexpr const char* kExchange = "assignment_exchange";

  Pipeline() {
    evidence["roles"] = Json::array();
    evidence["routes"] = Json::array();
    evidence["queues"] = Json::array();
  }

  RecordingWriter& student(const std::string& key) {
    evidence["loads"][0]["name"] = "student";
    evidence["loads"][0]["publish"] = {{"exchange", kExchange}, {"routing_key", key}};
    return process("student-0", "load", "student",
                   {{"publishers", {{{"index", 0}, {"name", "student-0"}, {"publisher", 0}}}},
                    {"routes", {{{"exchange", kExchange}, {"routing_key", key}}}},
                    {"consumers", Json::array()},
                    {"queues", Json::array()}});
  }

  // `key`: of what it publishes; nothing is published without.
  Stage stage(const std::string& name, const std::string& queue, std::uint32_t publisher,
              std::optional<std::string> key, bool completes = false) {
    Json spec = {{"role", name},
                 {"consume", {{"queue", queue}, {"ack", "auto"}}},
                 {"effort", {{"kind", "none"}}},
                 {"completes", completes}};
    Json header = {{"publishers", Json::array()},
                   {"routes", Json::array()},
                   {"consumers", {{{"index", 0}, {"name", name}, {"queue", queue}}}},
                   {"queues", {queue}}};
    if (key) {
      spec["publish"] = {{"exchange", kExchange}, {"routing_key", *key}};
      header["publishers"] = {{{"index", 0}, {"name", name}, {"publisher", publisher}}};
      header["routes"] = {{{"exchange", kExchange}, {"routing_key", *key}}};
    }
    evidence["roles"].push_back(spec);
    evidence["queues"].push_back(
        {{"name", queue}, {"consumed", true}, {"ready_at_end", 0}, {"unacked_at_end", 0}});
    return {&process(name, "role", name, header), publisher};
  }

  void route(const std::string& key, const std::vector<std::string>& queues) {
    evidence["routes"].push_back(
        {{"exchange", kExchange}, {"routing_key", key}, {"queues", queues}, {"delivery", "all"}});
  }

  static Message submit(RecordingWriter& student, std::uint32_t sequence, Nanoseconds at) {
    publish(student, sequence, at);
    return {0, sequence, 0, at, {}};
  }

  // Received a millisecond after it was due, done after another.
  static void receive(Stage& stage, const Message& message, std::uint8_t flags = 0) {
    DeliveryRecord& record = deliver(*stage.writer, message.sequence, message.intended,
                                     message.intended + kMs, kMs, Settlement::kAutomatic, flags);
    record.publisher = message.publisher;
    record.hops = message.hops;
    record.started_ns = record.received_ns;
    record.done_ns = flags & (kIgnored | kUnreadable) ? 0 : record.started_ns + kMs;
    record.settled_ns = record.received_ns;
    if (!message.origin) return;
    stage.writer->append_detail({0, message.origin->intended_ns, message.origin->publisher,
                                 static_cast<std::uint32_t>(message.origin->sequence), 0});
  }

  // What the stage makes of a message it has just done.
  static Message pass_on(Stage& stage, const Message& cause, std::uint8_t outcome = kConfirmed) {
    const Nanoseconds done = cause.intended + 2 * kMs;
    publish(*stage.writer, stage.published, done, outcome, 0);
    const Stamp::Origin own{cause.publisher, cause.sequence, kStart + cause.intended};
    return {stage.publisher, stage.published++, static_cast<std::uint16_t>(cause.hops + 1), done,
            cause.origin.value_or(own)};
  }

  Json summary() {
    close();
    Json run = summarise(evidence, folder);
    EXPECT_EQ(run_schema_errors(run), "");
    return run;
  }
};

TEST_F(Pipeline, EveryStageOnce) {
  RecordingWriter& from = student("correction");
  Stage demonstrator = stage("demonstrator", "correction_queue", 10, "validation");
  Stage assistant = stage("assistant", "validation_queue", 11, "confirmation");
  Stage coordinator = stage("coordinator", "confirmation_queue", 12, "test", true);
  route("correction", {"correction_queue"});
  route("validation", {"validation_queue"});
  route("confirmation", {"confirmation_queue"});
  route("test", {});
  for (std::uint32_t i = 0; i < 100; ++i) {
    const Message submitted = submit(from, i, i * 10 * kMs);
    receive(demonstrator, submitted);
    const Message corrected = pass_on(demonstrator, submitted);
    receive(assistant, corrected);
    const Message validated = pass_on(assistant, corrected);
    receive(coordinator, validated);
    pass_on(coordinator, validated, kConfirmed | kReturned);
  }
  const Json run = summary();
  const Json& pipeline = run.at("pipeline");
  EXPECT_EQ(pipeline.at("submitted"), 100);
  EXPECT_EQ(pipeline.at("completed"), 100);
  EXPECT_EQ(pipeline.at("deliveries_per_completed"), 3.0);
  EXPECT_EQ(pipeline.at("messages_per_completed"), 8.0) << "4 published, 3 delivered, 1 returned";
  EXPECT_EQ(pipeline.at("ignored_share"), 0.0);
  EXPECT_EQ(pipeline.at("hop_limited"), 0);
  EXPECT_TRUE(pipeline.at("loops").empty());
  EXPECT_EQ(state(run, "FEEDBACK_LOOP"), "pass");
  EXPECT_EQ(run.at("ledger").at("returned"), 100);
  const Json& completion = run.at("latency").at("completion");
  EXPECT_EQ(completion.at("count"), 100);
  EXPECT_THAT(completion.at("p50_ns").get<double>(), DoubleNear(6e6, 6e3)) << "three stages of 2 ms";
  const Json& stages = run.at("latency").at("stages");
  EXPECT_EQ(stages.size(), 3U);
  for (const Json& each : stages) {
    EXPECT_EQ(each.at("count"), 100);
    EXPECT_THAT(each.at("p50_ns").get<double>(), DoubleNear(2e6, 2e3));
  }
}

TEST_F(Pipeline, InAFanoutTwoOfThreeDeliveriesAreIgnored) {
  RecordingWriter& from = student("");
  const std::vector<std::string> queues = {"correction_queue", "validation_queue", "results_queue"};
  Stage demonstrator = stage("demonstrator", queues[0], 10, "");
  Stage assistant = stage("assistant", queues[1], 11, "");
  Stage coordinator = stage("coordinator", queues[2], 12, std::nullopt, true);
  route("", queues);
  for (std::uint32_t i = 0; i < 10; ++i) {
    const Message submitted = submit(from, i, i * 10 * kMs);
    receive(demonstrator, submitted);
    receive(assistant, submitted, kIgnored);
    receive(coordinator, submitted, kIgnored);
    const Message corrected = pass_on(demonstrator, submitted);
    receive(demonstrator, corrected, kIgnored);
    receive(assistant, corrected);
    receive(coordinator, corrected, kIgnored);
    const Message validated = pass_on(assistant, corrected);
    receive(demonstrator, validated, kIgnored);
    receive(assistant, validated, kIgnored);
    receive(coordinator, validated);
  }
  const Json run = summary();
  const Json& pipeline = run.at("pipeline");
  EXPECT_EQ(pipeline.at("completed"), 10);
  EXPECT_EQ(pipeline.at("deliveries_per_completed"), 9.0);
  EXPECT_THAT(pipeline.at("ignored_share").get<double>(), DoubleNear(2.0 / 3, 1e-9));
  EXPECT_EQ(pipeline.at("messages_per_completed"), 12.0);
  EXPECT_TRUE(pipeline.at("loops").empty()) << "what is ignored does not go round";
}

TEST_F(Pipeline, ARoleThatFeedsItselfIsNamed) {
  RecordingWriter& from = student("correction");
  Stage demonstrator = stage("demonstrator", "correction_queue", 10, "correction");
  stage("coordinator", "results_queue", 12, std::nullopt, true);
  route("correction", {"correction_queue"});
  Message message = submit(from, 0, 0);
  receive(demonstrator, message);
  for (int hop = 1; hop <= 5; ++hop) {
    message = pass_on(demonstrator, message);
    receive(demonstrator, message, hop == 5 ? kHopLimited : 0);
  }
  const Json run = summary();
  const Json& pipeline = run.at("pipeline");
  EXPECT_EQ(pipeline.at("completed"), 0);
  EXPECT_FALSE(pipeline.contains("deliveries_per_completed")) << "nothing was completed: no ratio";
  EXPECT_EQ(pipeline.at("hop_limited"), 1);
  EXPECT_EQ(pipeline.at("loops"), Json::parse(R"([{"role": "demonstrator", "exchange": "assignment_exchange",
      "routing_key": "correction", "roles": ["demonstrator"], "deliveries": 5, "hops_max": 5}])"));
  EXPECT_EQ(state(run, "FEEDBACK_LOOP"), "fail");
  EXPECT_EQ(flag(run, "FEEDBACK_LOOP").at("value"), 5);
  EXPECT_THAT(flag(run, "FEEDBACK_LOOP").at("detail").get<std::string>(),
              HasSubstr("demonstrator, which publishes to exchange assignment_exchange with key "
                        "\"correction\" (5 deliveries, 5 hops deep)"));
  EXPECT_EQ(run.at("verdict").at("status"), "valid") << "the loop is the finding";
}

TEST_F(Pipeline, RolesThatFeedEachOtherAreNamedTogether) {
  RecordingWriter& from = student("to-a");
  Stage a = stage("a", "queue-a", 10, "to-b");
  Stage b = stage("b", "queue-b", 11, "to-a");
  route("to-a", {"queue-a"});
  route("to-b", {"queue-b"});
  const Message first = submit(from, 0, 0);
  receive(a, first);
  const Message second = pass_on(a, first);
  receive(b, second);
  const Message third = pass_on(b, second);
  receive(a, third, kHopLimited);
  const Json run = summary();
  const Json& loops = run.at("pipeline").at("loops");
  ASSERT_EQ(loops.size(), 2U);
  EXPECT_EQ(loops[0].at("role"), "a");
  EXPECT_EQ(loops[0].at("routing_key"), "to-b");
  EXPECT_EQ(loops[1].at("role"), "b");
  EXPECT_EQ(loops[1].at("hops_max"), 2);
  EXPECT_EQ(loops[0].at("roles"), Json({"a", "b"}));
  EXPECT_FALSE(run.at("pipeline").contains("completed")) << "no role completes anything";
}

// Requests from a to b and other requests from b to a: nothing comes round.
TEST_F(Pipeline, TrafficInBothDirectionsIsNoLoop) {
  RecordingWriter& from = student("to-a");
  Stage a = stage("a", "queue-a", 10, "to-b");
  Stage b = stage("b", "queue-b", 11, "to-a");
  route("to-a", {"queue-a", "queue-b"});
  route("to-b", {"queue-b"});
  const Message first = submit(from, 0, 0), second = submit(from, 1, 10 * kMs);
  receive(a, first);
  receive(b, pass_on(a, first));
  receive(b, second);
  receive(a, pass_on(b, second));
  EXPECT_TRUE(summary().at("pipeline").at("loops").empty());
}

TEST_F(Pipeline, ASubmissionIsCompletedOnce) {
  RecordingWriter& from = student("results");
  Stage coordinator = stage("coordinator", "results_queue", 12, std::nullopt, true);
  route("results", {"results_queue"});
  const Message once = submit(from, 0, 0), twice = submit(from, 1, 0);
  receive(coordinator, once);
  receive(coordinator, twice);
  receive(coordinator, twice, kRedelivered);
  Message unreadable = submit(from, 2, 0);
  receive(coordinator, unreadable, kUnreadable);
  const Json run = summary();
  EXPECT_EQ(run.at("pipeline").at("submitted"), 3);
  EXPECT_EQ(run.at("pipeline").at("completed"), 2);
  EXPECT_EQ(run.at("pipeline").at("deliveries_per_completed"), 2.0);
  EXPECT_EQ(run.at("latency").at("completion").at("count"), 2);
}

TEST_F(Pipeline, PlainWorkersAreNone) {
  RecordingWriter& from = student("tasks");
  Stage worker = stage("worker", "tasks", 12, std::nullopt);
  route("tasks", {"tasks"});
  receive(worker, submit(from, 0, 0));
  const Json run = summary();
  EXPECT_FALSE(run.contains("pipeline"));
  EXPECT_FALSE(run.at("latency").contains("stages"));
  EXPECT_EQ(state(run, "FEEDBACK_LOOP"), "unmeasured");
}

}  // namespace
}  // namespace brokerlab
