#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>

#include "core/recording.h"
#include "experiments/run_process.h"
#include "live/metrics.h"
#include "live/page_json.h"
#include "live/state.h"
#include "tests/answer_of.h"

namespace brokerlab::live {
namespace {

using testing::HasSubstr;
using testing::Not;

class Silent final : public RunObserver {
 public:
  void stage(const std::string&) override { ++told; }
  void progress(const RunProgress&) override { ++told; }
  void notice(const std::string&) override { ++told; }
  int told = 0;
};

// A run of one load and one role whose recordings a test writes itself.
class LiveTest : public ::testing::Test {
 protected:
  LiveTest() {
    folder_ = std::filesystem::path(::testing::TempDir()) / ("live-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    clock_.set(100 * kNanosecondsPerSecond);
    for (const bool load : {true, false}) {
      PlannedProcess& planned = load ? load_planned_ : role_planned_;
      planned.kind = load ? PlannedProcess::Kind::kLoad : PlannedProcess::Kind::kRole;
      planned.name = load ? "emitter-0" : "worker-0";
      planned.entry = load ? "emitter" : "worker";
      planned.instances_total = 1;
      planned.instances = {{0, planned.name, {}, load ? "" : "lab-7-tasks"}};
      planned.queues = {"lab-7-tasks"};
      if (load) planned.routes = {{"", "lab-7-tasks", {"lab-7-tasks"}, PlannedRoute::Delivery::kAll}};
    }
    use(load_, load_planned_);
    use(role_, role_planned_);
  }
  ~LiveTest() override { std::filesystem::remove_all(folder_); }

  void begin(State& state, const std::string& variant, int repetition) {
    writers_[0].emplace(folder_ / "emitter-0.rec", Json::object());
    writers_[1].emplace(folder_ / "worker-0.rec", Json::object());
    state.begin_run({"tasks", "run-1", variant, repetition, "tasks", "lab-7-", "", folder_});
  }

  // One message: sent 1 ms late, confirmed 2 ms and received 3 ms after that, worked on for 40 ms.
  void pass_message(std::uint32_t sequence, std::uint8_t outcome = kConfirmed) {
    constexpr Nanoseconds kMs = 1'000'000, kStart = 10 * kNanosecondsPerSecond;
    writers_[0]->append_publish({kStart, kStart + kMs, kStart + 3 * kMs, sequence, 0, 0, outcome});
    DeliveryRecord delivery{};
    delivery.intended_ns = kStart;
    delivery.sent_ns = kStart + kMs;
    delivery.received_ns = delivery.started_ns = kStart + 4 * kMs;
    delivery.done_ns = kStart + 44 * kMs;
    delivery.settled_ns = kStart + 45 * kMs;
    delivery.settlement = static_cast<std::uint8_t>(Settlement::kAcked);
    delivery.sequence = sequence;
    writers_[1]->append_delivery(delivery);
  }

  RunProgress progress(std::int64_t messages, Nanoseconds elapsed_ns) {
    load_.progress = {{"scheduled", messages}, {"published", messages}, {"confirmed", messages},
                      {"unsettled", 0},        {"cpu_ns", 250'000'000}, {"bytes_out", 9}};
    role_.progress = {{"received", messages},
                      {"done", messages},
                      {"in_hand", 0},
                      {"busy_ns", 1'500'000'000},
                      {"per_instance", Json::array({Json::array({messages, messages, 1'500'000'000})})}};
    RunProgress progress;
    progress.stage = "load";
    progress.elapsed_ns = elapsed_ns;
    progress.done_share = 0.5;
    for (const bool load : {true, false}) {
      ProgressRow row;
      row.name = load ? "emitter" : "worker";
      row.is_load = load;
      row.instances = row.processes = row.processes_alive = 1;
      progress.rows.push_back(row);
    }
    progress.processes = {&load_, &role_};
    progress.faults = Json::array({{{"kind", "kill"},
                                    {"target", "worker"},
                                    {"started_ns", clock_.now() - kNanosecondsPerSecond},
                                    {"ended_ns", nullptr}}});
    return progress;
  }

  SimulatedClock clock_;
  Silent shown_;
  std::filesystem::path folder_;
  PlannedProcess load_planned_, role_planned_;
  RunProcess load_, role_;
  std::optional<RecordingWriter> writers_[2];

 private:
  static void use(RunProcess& process, const PlannedProcess& planned) {
    process.planned = &planned;
    process.name = planned.name;
    process.recording = planned.name + ".rec";
  }
};

// Every sample by its name and the labels that are not of all of them, as a program of other people reads it.
std::map<std::string, double> read_by_prometheus(const std::string& text, MetricFormat format) {
  const char* program = format == MetricFormat::kOpenMetrics ? "openmetrics.py" : "prometheus.py";
  std::map<std::string, double> found;
  for (const Json& sample :
       answer_of("/usr/bin/python3 '" BROKERLAB_SOURCE_DIR "/tests/independent/" + std::string(program) + "'",
                 text)) {
    std::string key = sample["name"];
    for (const char* label : {"variant", "repetition", "name", "messaging_operation_name", "error_type",
                              "messaging_destination_name", "stage", "direction", "le", "branch"}) {
      if (sample["labels"].contains(label)) key += " " + sample["labels"][label].get<std::string>();
    }
    EXPECT_TRUE(found.emplace(key, sample["value"].get<double>()).second) << "twice: " << key;
  }
  return found;
}

bool prometheus_is_here() {
  return std::system("/usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null") == 0;
}

TEST_F(LiveTest, BothFormatsSayWhatTheRecordingsSay) {
  if (!prometheus_is_here())
    GTEST_SKIP() << "python3-prometheus-client is not installed: run script/bootstrap --test";
  State state(clock_, shown_);
  begin(state, "push, \"quoted\"", 0);
  for (std::uint32_t i = 0; i < 3; ++i) pass_message(i);
  pass_message(3, kConfirmed | kReturned);
  state.progress(progress(4, 2 * kNanosecondsPerSecond));
  state.end_run({{"verdict", {{"status", "valid"}, {"reasons", Json::array()}}}});
  begin(state, "fair", 1);
  state.progress(progress(0, 0));
  for (const MetricFormat format : {MetricFormat::kPrometheus, MetricFormat::kOpenMetrics}) {
    const auto found =
        read_by_prometheus(metrics_text(state.snapshot(), format, {{"branch", "a\\b"}}), format);
    const std::string first = " push, \"quoted\" 0 ", tag = " a\\b";
    const auto at = [&](const std::string& key) {
      const auto sample = found.find(key);
      EXPECT_NE(sample, found.end()) << key;
      return sample == found.end() ? -1 : sample->second;
    };
    EXPECT_EQ(at("messaging_client_sent_messages_total" + first + "emitter publish tasks" + tag), 4);
    EXPECT_EQ(at("messaging_client_consumed_messages_total" + first + "worker deliver tasks" + tag), 4);
    const std::string published =
        "messaging_client_operation_duration_seconds_bucket" + first + "emitter publish tasks ";
    EXPECT_EQ(at(published + "0.001" + tag), 0);
    EXPECT_EQ(at(published + "0.0025" + tag), 3);
    EXPECT_EQ(at(published + "+Inf" + tag), 3);
    EXPECT_EQ(at("messaging_client_operation_duration_seconds_count" + first +
                 "emitter publish return tasks" + tag),
              1);
    EXPECT_DOUBLE_EQ(at("messaging_process_duration_seconds_sum" + first + "worker process tasks" + tag),
                     4 * 0.04);
    EXPECT_DOUBLE_EQ(at("brokerlab_end_to_end_seconds_sum" + first + "worker tasks" + tag), 4 * 0.004);
    EXPECT_DOUBLE_EQ(at("brokerlab_done_seconds_sum" + first + "worker tasks" + tag), 4 * 0.044);
    EXPECT_DOUBLE_EQ(at("brokerlab_send_delay_seconds_sum" + first + "emitter tasks" + tag), 4 * 0.001);
    EXPECT_EQ(at("brokerlab_published_messages_total" + first + "emitter" + tag), 4);
    EXPECT_DOUBLE_EQ(at("brokerlab_busy_seconds_total" + first + "worker" + tag), 1.5);
    EXPECT_EQ(at("brokerlab_faults_started_total" + first.substr(0, first.size() - 1) + tag), 1);
    // The run that goes on has its own, from zero; only it has levels.
    EXPECT_EQ(at("messaging_client_sent_messages_total fair 1 emitter publish tasks" + tag), 0);
    EXPECT_EQ(at("brokerlab_in_hand_messages fair 1 worker" + tag), 0);
    EXPECT_FALSE(found.contains("brokerlab_in_hand_messages" + first + "worker" + tag));
    EXPECT_EQ(at("brokerlab_run_stage fair 1 load" + tag), 1);
    EXPECT_EQ(at("brokerlab_runs_finished_total" + tag), 1);
  }
}

TEST_F(LiveTest, BoundsHoldAllThatOpenTelemetryAdvises) {
  for (const double advised :
       {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1., 2.5, 5., 7.5, 10.}) {
    const auto is_it = [&](const Bound& bound) { return std::stod(bound.seconds) == advised; };
    EXPECT_TRUE(std::any_of(kBounds.begin(), kBounds.end(), is_it)) << advised;
  }
  for (const Bound& bound : kBounds)
    EXPECT_DOUBLE_EQ(std::stod(bound.seconds) * 1e9, static_cast<double>(bound.ns));
}

TEST_F(LiveTest, ManyDestinationsAreNotToldApart) {
  for (int i = 0; i < 100; ++i) {
    load_planned_.routes.push_back({"", "key-" + std::to_string(i), {}, PlannedRoute::Delivery::kAll});
  }
  State state(clock_, shown_);
  begin(state, "default", 0);
  pass_message(0);
  state.progress(progress(1, 0));
  state.end_run(Json::object());
  const std::string text = metrics_text(state.snapshot(), MetricFormat::kPrometheus, {});
  EXPECT_THAT(text, HasSubstr("messaging_operation_type=\"send\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("key-1")));
}

TEST_F(LiveTest, AcceptHeadersChooseTheFormat) {
  // As Prometheus 2.53 and curl send them.
  EXPECT_EQ(
      wanted_format("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version="
                    "0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"),
      MetricFormat::kOpenMetrics);
  EXPECT_EQ(wanted_format("text/plain;version=0.0.4;q=1,application/openmetrics-text;q=0.5"),
            MetricFormat::kPrometheus);
  EXPECT_EQ(wanted_format("*/*"), MetricFormat::kPrometheus);
  EXPECT_EQ(wanted_format(""), MetricFormat::kPrometheus);
}

TEST_F(LiveTest, ThePageIsToldRatesOfEachPointAndOnlyNewOnes) {
  State state(clock_, shown_);
  begin(state, "default", 0);
  state.progress(progress(0, 0));
  state.progress(progress(100, kNanosecondsPerSecond));
  state.progress(progress(110, kNanosecondsPerSecond + 1));  // too soon for another point
  state.progress(progress(300, 2 * kNanosecondsPerSecond));
  const Points all = state.points(0, 0);
  ASSERT_EQ(all.points.size(), 2u);
  EXPECT_DOUBLE_EQ(all.points[0].published_per_s, 100);
  EXPECT_DOUBLE_EQ(all.points[1].published_per_s, 200);
  const Points more = state.points(all.generation, 1);
  EXPECT_EQ(more.first, 1u);
  EXPECT_EQ(more.points.size(), 1u);
  EXPECT_EQ(state.points(all.generation + 1, 1).points.size(), 2u)
      << "who has points of another run gets all";
  EXPECT_EQ(state.points(all.generation, 99).points.size(), 0u);
  EXPECT_EQ(shown_.told, 4) << "the terminal is told, too";
}

TEST_F(LiveTest, PointsOfALongRunBecomeRarer) {
  State state(clock_, shown_);
  begin(state, "default", 0);
  for (int i = 0; i < 5000; ++i) state.progress(progress(i, i * kNanosecondsPerSecond));
  const Points points = state.points(0, 0);
  EXPECT_LE(points.points.size(), State::kMostPoints);
  EXPECT_GE(points.points.size(), State::kMostPoints / 4);
  EXPECT_GT(points.points.back().at_ns, 4990 * kNanosecondsPerSecond);
  for (const Point& point : points.points) EXPECT_NEAR(point.published_per_s, 1, 1e-6);
}

TEST_F(LiveTest, ThePageIsToldHowItEnded) {
  State state(clock_, shown_);
  begin(state, "default", 0);
  state.notice("</script><b>\xff");
  state.progress(progress(5, kNanosecondsPerSecond));
  Json json = Json::parse(page_json(state.snapshot(), state.points(0, 0)));
  EXPECT_EQ(json["run"]["entries"][1]["messages"], 5);
  EXPECT_EQ(json["run"]["workers"][0]["done"], 5);
  EXPECT_TRUE(json["run"]["faults"][0]["ended"].is_null());
  EXPECT_TRUE(json["outcome"].is_null());
  state.finish({{{"tasks", "valid", "/r/result.json", {}}}, "/r/report.html", ""});
  json = Json::parse(page_json(state.snapshot(), state.points(0, 0)));
  EXPECT_EQ(json["outcome"]["results"][0]["verdict"], "valid");
  EXPECT_EQ(json["outcome"]["report"], "/r/report.html");
  EXPECT_EQ(json["run"]["entries"][1]["messages"], 5) << "the last run stays to be seen";
}

TEST_F(LiveTest, WhatTheBrokerTellsIsShownAndWhatItDoesNotTellIsNot) {
  State state(clock_, shown_);
  begin(state, "default", 0);
  RunProgress told = progress(0, kNanosecondsPerSecond);
  BrokerFigures::Node node;
  node.name = "n1@localhost";
  node.at_ns = clock_.now();
  node.cpu_cores = 0.5;
  node.memory_alarm = true;
  told.broker.nodes = {node};
  told.broker.ready = 70;
  told.broker.queues = {{"lab-7-tasks", 70, 3}};
  state.progress(told);
  const std::string text = metrics_text(state.snapshot(), MetricFormat::kPrometheus, {});
  EXPECT_THAT(text, HasSubstr("node=\"n1@localhost\"} 0.5\n"));
  EXPECT_THAT(text, testing::ContainsRegex("broker_memory_alarm\\{[^}]*\\} 1\n"));
  EXPECT_THAT(text, testing::ContainsRegex("broker_queue_ready_messages\\{[^}]*queue=\"tasks\"\\} 70\n"));
  EXPECT_THAT(text, Not(HasSubstr("broker_disk_alarm")));
  EXPECT_THAT(text, Not(HasSubstr("broker_resident_bytes")));
  const Json json = Json::parse(page_json(state.snapshot(), state.points(0, 0)));
  EXPECT_EQ(json["run"]["broker"]["nodes"][0]["memory_alarm"], true);
  EXPECT_TRUE(json["run"]["broker"]["nodes"][0]["disk_alarm"].is_null());
  EXPECT_EQ(json["points"]["list"][0][7], 70);
}

TEST_F(LiveTest, LabelsOfOurOwnCannotBeGiven) {
  EXPECT_TRUE(label_taken("variant"));
  EXPECT_TRUE(label_taken("messaging_system"));
  EXPECT_FALSE(label_taken("branch"));
  EXPECT_TRUE(MetricText::label_allowed("branch_2"));
  for (const char* wrong : {"", "2nd", "__name__", "a-b", "a b", "\xc3\xa4"})
    EXPECT_FALSE(MetricText::label_allowed(wrong)) << wrong;
}

}  // namespace
}  // namespace brokerlab::live
