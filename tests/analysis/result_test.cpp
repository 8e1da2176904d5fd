#include "analysis/result.h"

#include <gmock/gmock.h>

#include "analysis/environment.h"
#include "analysis/summary.h"
#include "analysis/summary_text.h"
#include "core/error.h"
#include "tests/analysis/recorded_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;
using testing::Not;

class Result : public RecordedFixture {
 protected:
  Json run_of(const std::string& variant, int repetition, Nanoseconds wait) {
    evidence["variant"] = variant;
    evidence["repetition"] = repetition;
    evidence["processes"] = Json::array();
    evidence["roles"][0]["effort"] = {{"kind", "sleep"}, {"seconds", 0.001}};
    RecordingWriter& emitter = load();
    RecordingWriter* workers[] = {&role("worker-0", 0), &role("worker-1", 1)};
    for (std::uint32_t i = 0; i < 1200; ++i) {
      publish(emitter, i, i * kMs);
      deliver(*workers[i % 2], i, i * kMs, i * kMs + wait, kMs);
    }
    emitter.counters().bytes_out = 120'000;
    close();
    return summarise(evidence, folder);
  }

  ResultInput input(Json runs) {
    ResultInput input;
    input.run_id = "r1";
    input.experiment = "work-queue";
    input.started_at = "2026-11-21T03:13:55.123Z";
    input.environment = describe_environment({});
    input.seed = 3;
    input.config_hash = "abc";
    input.runs = std::move(runs);
    return input;
  }
};

TEST_F(Result, FollowsThePublishedSchema) {
  Json runs = {run_of("push", 1, 2 * kMs), run_of("prefetch-1", 1, 3 * kMs), run_of("push", 2, 4 * kMs)};
  ResultInput all = input(std::move(runs));
  all.thresholds = Json::parse(
      R"([{"expression": "end_to_end.p99 < 50ms", "variant": "push", "repetition": 1, "value": null, "ok": false}])");
  const Json result = assemble_result(all);
  EXPECT_EQ(schema_errors(result), "");
  EXPECT_EQ(result.at("verdict").at("status"), "valid") << result.at("verdict").dump();
  const Json& comparison = result.at("comparison");
  ASSERT_EQ(comparison.at("variants").size(), 2u);
  EXPECT_EQ(comparison.at("variants")[0].at("variant"), "push");
  EXPECT_EQ(comparison.at("variants")[0].at("runs"), 2);
  EXPECT_NEAR(comparison.at("variants")[0].at("medians").at("end_to_end.p50").get<double>(), 3e6, 3e3);
  EXPECT_EQ(state(result.at("runs")[0], "TOO_FEW_TRIALS"), "fail");
  EXPECT_EQ(state(result.at("runs")[0], "NO_AA"), "fail");
}

TEST_F(Result, TwoVariantsOfEqualSettingsAreTheComparisonWithItself) {
  ResultInput two = input({run_of("push", 1, 2 * kMs), run_of("push again", 1, 3 * kMs)});
  two.plan["variants"] = {
      {"push", {{"seed", 1}}}, {"push again", {{"seed", 1}}}, {"never run", {{"seed", 1}}}};
  Json result = assemble_result(two);
  EXPECT_EQ(schema_errors(result), "");
  EXPECT_EQ(state(result.at("runs")[0], "NO_AA"), "pass");
  EXPECT_EQ(flag(result.at("runs")[1], "NO_AA").at("value"), 1);
  two.plan["variants"]["push again"]["seed"] = 2;
  EXPECT_EQ(state(assemble_result(two).at("runs")[0], "NO_AA"), "fail");
}

TEST_F(Result, OfAnInterruptedExperimentIsCompleteAndUnknown) {
  ResultInput none = input(Json::array());
  none.aborted = true;
  const Json result = assemble_result(none);
  EXPECT_EQ(schema_errors(result), "");
  EXPECT_EQ(result.at("verdict").at("status"), "unknown");
}

TEST_F(Result, WithNothingMeasuredFollowsTheSchemaToo) {
  const Json result = assemble_result(input(Json::array({summarise(evidence, folder)})));
  EXPECT_EQ(schema_errors(result), "");
}

// Each line spoils one thing that the schema must notice.
TEST_F(Result, TheSchemaCatchesWhatIsWrong) {
  const Json good = assemble_result(input(Json::array({run_of("push", 1, 2 * kMs)})));
  ASSERT_EQ(schema_errors(good), "");
  const std::vector<std::pair<std::string, Json>> spoiled = {
      {"/schema_version", 2},
      {"/started_at", "yesterday"},
      {"/verdict/status", "fine"},
      {"/verdict/reasons", Json::array({"but valid"})},
      {"/seed", "1"},
      {"/runs/0/ledger/published", 1.5},
      {"/runs/0/ledger/lost", -1},
      {"/runs/0/ledger/outstanding", 0},
      {"/runs/0/latency/end_to_end/count", 0},
      {"/runs/0/latency/end_to_end/p99_ns", 0},
      {"/runs/0/latency/end_to_end/p99_ns", 1.5},
      {"/runs/0/latency/end_to_end/hdr", ""},
      {"/runs/0/latency/end_to_end/p50", 5},
      {"/runs/0/makespan_ns", 0},
      {"/runs/0/makespan", 5},
      {"/runs/0/rates/published", 5},
      {"/runs/0/network/bytes", 0},
      {"/runs/0/fairness/by_messages/jain", 0},
      {"/runs/0/fairness/by_messages/jain", 1.5},
      {"/runs/0/flags/0/state", "ok"},
      {"/runs/0/flags/2/value", 0},
      {"/runs/0/series/interval_ns", 0},
      {"/runs/0/series/backlog", "none"},
      {"/runs/0/gantt/0/done_ns", nullptr},
  };
  for (const auto& [pointer, value] : spoiled) {
    Json bad = good;
    bad[JsonPointer(pointer)] = value;
    EXPECT_NE(schema_errors(bad), "") << pointer << " = " << value.dump();
  }
  for (const char* pointer : {"/verdict", "/runs/0/ledger/published", "/runs/0/latency/done/hdr"}) {
    Json bad = good;
    const JsonPointer at(pointer);
    bad.at(at.parent_pointer()).erase(at.back());
    EXPECT_NE(schema_errors(bad), "") << "without " << pointer;
  }
}

TEST_F(Result, IsWrittenAndReadBack) {
  const Json result = assemble_result(input(Json::array({run_of("push", 1, 2 * kMs)})));
  const auto path = write_result(folder, result);
  EXPECT_EQ(path.filename(), "result.json");
  EXPECT_EQ(read_result(folder), result);
  Json later = result;
  later["schema_version"] = 2;
  write_result(folder, later);
  EXPECT_THROW(read_result(path), Error);
  write_result(folder, Json::array());
  EXPECT_THROW(read_result(path), Error);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_F(Result, TheSummaryFitsOneScreen) {
  Json one = assemble_result(input(Json::array({run_of("push", 1, 2 * kMs)})));
  Json two = assemble_result(input({run_of("push", 1, 2 * kMs), run_of("prefetch-1", 1, 9 * kMs)}));
  for (Json& run : two["runs"])
    for (Json& flag : run["flags"]) flag["state"] = "fail";
  for (const Json& result : {one, two}) {
    const auto lines = lines_of(summary_text(result));
    EXPECT_LE(lines.size(), 23u);
    for (const std::string& line : lines) EXPECT_LE(line.size(), 84u) << line;
  }
  // Figures that do not fit stand in the next line, whole.
  Json long_names = one;
  long_names["runs"][0]["rates"] = {{"offered_per_s", 98765.4},
                                    {"published_per_s", 98765.4},
                                    {"confirmed_per_s", 98765.4},
                                    {"delivered_per_s", 98765.4}};
  EXPECT_THAT(summary_text(long_names), HasSubstr("\n           delivered 98"));
  EXPECT_THAT(summary_text(long_names), HasSubstr("busy time 1.000\n"));
  for (const std::string& line : lines_of(summary_text(long_names))) EXPECT_LE(line.size(), 82u) << line;
  const std::string text = summary_text(one);
  EXPECT_THAT(text, HasSubstr("end to end"));
  EXPECT_THAT(text, HasSubstr("2 ms"));
  EXPECT_THAT(text, HasSubstr("lost 0"));
  EXPECT_THAT(text, HasSubstr("verdict    valid"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(summary_text(one, {.colour = true, .columns = 80}), HasSubstr("\x1b[32mverdict"));
  EXPECT_THAT(summary_text(two), HasSubstr("prefetch-1"));
}

// Names that begin alike must still be told apart.
TEST_F(Result, LongNamesStandBelowEachOther) {
  const std::string one = "skewed,prefetch-1,instances=1", two = "skewed,prefetch-1,instances=16";
  const Json result = assemble_result(input({run_of(one, 1, 2 * kMs), run_of(two, 1, 9 * kMs)}));
  const std::string text = summary_text(result);
  EXPECT_THAT(text, HasSubstr("\n" + one + "    "));
  EXPECT_THAT(text, HasSubstr("\n" + two + "    "));
  EXPECT_THAT(text, HasSubstr("arrived p50"));
  EXPECT_LE(lines_of(text).size(), 23u);
}

TEST_F(Result, TheSummaryLetsNoEscapeSequenceThrough) {
  const Json result = assemble_result(input(Json::array({run_of("\x1b[31mred\xc2\x9b", 1, 2 * kMs)})));
  EXPECT_THAT(summary_text(result), Not(HasSubstr("\x1b")));
  EXPECT_THAT(summary_text(result), Not(HasSubstr("\xc2\x9b")));
}

TEST_F(Result, WarnsThatTheGeneratorWasTheBottleneck) {
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  for (std::uint32_t i = 0; i < 100; ++i) {
    publish(emitter, i, i * kMs, kConfirmed, 12 * kMs);
    deliver(worker, i, i * kMs, i * kMs + 14 * kMs);
  }
  close();
  EXPECT_THAT(warnings_of(summarise(evidence, folder)),
              testing::Contains(testing::MatchesRegex(
                  "the generator was the bottleneck \\(send_delay p99 12(\\.0)? ms\\)")));
}

}  // namespace
}  // namespace brokerlab
