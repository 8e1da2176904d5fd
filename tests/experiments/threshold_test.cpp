#include "experiments/threshold.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "experiments/live_figures.h"

namespace brokerlab {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

const Json& run() {
  static const Json value = Json::parse(R"({
    "latency": {"end_to_end": {"count": 10, "p50_ns": 2000000, "p99_ns": 50000000, "p99_9_ns": null},
                "by_role": {"my.worker": {"done": {"max_ns": 7000}}}},
    "rates": {"confirmed_per_s": 995.5},
    "fairness": {"by_busy_time": {"jain": 0.61}},
    "ledger": {"lost": 0, "returned": 10, "queues": [{"queue": "other", "lost": 5}, {"queue": "tasks", "lost": 0}]},
    "network": {"bytes": 2048, "per_task": {"messages": 3.5}},
    "work": [{"role": "other", "idle_share": 0.9}, {"role": "my.worker", "idle_share": 0.25, "longest_ns": 5}],
    "theory": [{"role": "my.worker", "utilisation": 0.8, "replay": {"p99_ns": 1000, "error": {"mean": -0.02}}}],
    "recovery": [{"fault": "kill", "drained_ns": 1000000}, {"fault": "kill", "drained_ns": 3000000}, {"fault": "pause"}],
    "makespan_ns": 912000000})");
  return value;
}

ThresholdOutcome outcome(const std::string& text) {
  return evaluate(parse_threshold(text, {.roles = {"my.worker"}, .queues = {"tasks"}}), run());
}

std::string refusal(const std::string& text) {
  try {
    parse_threshold(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    return error.summary() + " | " + error.remedy();
  }
  return "accepted";
}

TEST(Threshold, ComparesWithUnits) {
  EXPECT_TRUE(outcome("end_to_end.p99 <= 50ms").ok);
  EXPECT_FALSE(outcome("end_to_end.p99 < 50ms").ok);
  EXPECT_TRUE(outcome("end_to_end.p50<2.5ms").ok);
  EXPECT_TRUE(outcome("end_to_end.p50 > 1999us").ok);
  EXPECT_TRUE(outcome("makespan < 1s").ok);
  EXPECT_FALSE(outcome("makespan > 1m").ok);
  EXPECT_TRUE(outcome("network.bytes == 2KiB").ok);
  EXPECT_TRUE(outcome("rates.confirmed_per_s >= 995").ok);
  EXPECT_TRUE(outcome("rates.confirmed < 1 k/s").ok);
  EXPECT_TRUE(outcome("fairness.by_busy_time.jain < 95%").ok);
  EXPECT_TRUE(outcome("ledger.lost == 0").ok);
  EXPECT_TRUE(outcome("ledger.returned != 0").ok);
  EXPECT_EQ(outcome("ledger.returned == 11").value, 10);
  EXPECT_TRUE(outcome("end_to_end.count == 10").ok);
  EXPECT_TRUE(outcome("network.per_task.messages < 4").ok);
}

TEST(Threshold, LongAndShortFormsAreTheSame) {
  EXPECT_EQ(parse_threshold("latency.end_to_end.p99_ns < 1ms").metric,
            parse_threshold("end_to_end.p99 < 1ms").metric);
  EXPECT_EQ(parse_threshold("makespan_ns < 1ms").metric.to_string(), "/makespan_ns");
  EXPECT_EQ(parse_threshold("end_to_end.p99_9 < 1ms").metric.to_string(), "/latency/end_to_end/p99_9_ns");
}

TEST(Threshold, OfOneRole) {
  EXPECT_TRUE(outcome("by_role.my.worker.done.max == 7us").ok);
  EXPECT_THAT(refusal("by_role.nobody.done.max < 1s"), HasSubstr("unknown metric"));
}

TEST(Threshold, OfOneQueueAndOfOneRolesWork) {
  EXPECT_TRUE(outcome("ledger.queues.tasks.lost == 0").ok);
  EXPECT_TRUE(outcome("work.my.worker.idle_share < 30%").ok);
  EXPECT_TRUE(outcome("work.my.worker.longest == 5ns").ok);
  EXPECT_TRUE(outcome("theory.my.worker.utilisation < 1").ok);
  EXPECT_TRUE(outcome("theory.replay.p99 <= 1us").ok);
  EXPECT_TRUE(outcome("theory.replay.error.mean > -5%").ok);
}

// Of several values the one that fails is shown, else the one nearest to the limit.
TEST(Threshold, HoldsOnlyIfItDoesForEach) {
  EXPECT_TRUE(outcome("recovery.drained < 4ms").ok);
  EXPECT_EQ(outcome("recovery.drained < 4ms").value, 3e6);
  EXPECT_FALSE(outcome("recovery.drained < 2ms").ok);
  EXPECT_EQ(outcome("recovery.drained < 2ms").value, 3e6);
  EXPECT_EQ(outcome("recovery.drained > 2ms").value, 1e6);
  EXPECT_FALSE(outcome("work.idle_share < 50%").ok);
  EXPECT_FALSE(outcome("recovery.wasted_work < 1s").value.has_value());
}

TEST(Threshold, KnowsWhatIsKnownWhileARunGoesOn) {
  EXPECT_TRUE(parse_threshold("rates.confirmed > 10 /s").live);
  EXPECT_TRUE(parse_threshold("ledger.returned == 0").live);
  EXPECT_FALSE(parse_threshold("ledger.lost == 0").live);
  EXPECT_FALSE(parse_threshold("end_to_end.p99 < 1s").live);
  EXPECT_THAT(live_metric_names(), HasSubstr("ledger.redelivered_flag"));
}

TEST(LiveFigures, RatesAreOfTheLastTwoSecondsOfTheLoad) {
  LiveFigures live;
  LiveCounts counts;
  EXPECT_FALSE(live.at(0, counts, true).contains("rates"));
  for (int quarter = 1; quarter <= 40; ++quarter) {
    counts.published += quarter <= 20 ? 25 : 250;  // 100 a second, then 1000
    counts.published_by_all = counts.published + 7;
    const Json figures = live.at(quarter * kNanosecondsPerSecond / 4, counts, true);
    EXPECT_EQ(figures.contains("rates"), quarter >= 4) << quarter;
    if (quarter == 20) {
      EXPECT_NEAR(figures["rates"]["published_per_s"].get<double>(), 100, 1e-9);
    }
    if (quarter == 28 || quarter == 40) {
      EXPECT_NEAR(figures["rates"]["published_per_s"].get<double>(), 1000, 1e-9);
    }
    EXPECT_EQ(figures["ledger"]["published"], counts.published + 7);
  }
  EXPECT_FALSE(live.at(11 * kNanosecondsPerSecond, counts, false).contains("rates"));
}

TEST(Threshold, UnmeasuredIsNeverOk) {
  for (const char* text :
       {"end_to_end.p99_9 < 1h", "confirm.p50 < 1h", "ledger.nacked == 0", "ledger.nacked != 0"}) {
    EXPECT_FALSE(outcome(text).value.has_value()) << text;
    EXPECT_FALSE(outcome(text).ok) << text;
  }
}

TEST(Threshold, MistakesAreExplained) {
  EXPECT_EQ(refusal("ledger.lots == 0"),
            "threshold \"ledger.lots == 0\": unknown metric \"ledger.lots\" | did you "
            "mean \"ledger.lost\"?");
  EXPECT_THAT(refusal("end_to_end.p99 < 50"), HasSubstr("is a time: the limit has no unit | e.g. 50ms"));
  EXPECT_THAT(refusal("end_to_end.p99 < 50 parsecs"), HasSubstr("\"parsecs\" is no unit of end_to_end.p99"));
  EXPECT_THAT(refusal("ledger.lost == 3ms"), HasSubstr("is no unit of ledger.lost"));
  EXPECT_THAT(refusal("ledger.lost = 0"), HasSubstr("\"=\" is no comparison"));
  EXPECT_THAT(refusal("ledger.lost"), HasSubstr("no comparison"));
  EXPECT_THAT(refusal("ledger.lost == few"), HasSubstr("\"few\" is no number"));
  EXPECT_THAT(refusal("ledger.lost =="), HasSubstr("\"\" is no number"));
  EXPECT_THAT(refusal("ledger.lost == nan"), HasSubstr("is no number"));
  EXPECT_THAT(refusal(""), HasSubstr("no comparison"));
  EXPECT_EQ(refusal("end_to_end.p99 > 0"), "accepted");
}

// The names are those of the published result schema: what a threshold may name is what a result may have.
TEST(Threshold, MetricsAreThoseOfTheResultSchema) {
  const Json schema =
      read_json_file(std::string(BROKERLAB_SOURCE_DIR) + "/results/schema/result.schema.json");
  std::vector<std::string> names;
  for (const ThresholdMetric& metric : threshold_metrics({.roles = {"r"}, .queues = {"q"}}))
    names.push_back(metric.name);
  const auto expect_all = [&](const std::string& prefix, const Json& properties, const std::string& suffix) {
    for (const auto& [key, property] : properties.items()) {
      const bool is_number =
          !property.contains("type") || property["type"] == "number" || property["type"] == "integer";
      const std::string kind = property.value("$ref", "");
      if (property.contains("const") || property.contains("enum") || property.contains("properties") ||
          kind.ends_with("error"))
        continue;
      if (!is_number || kind.ends_with("key_queues") || kind.ends_with("stream") || kind.ends_with("text") ||
          kind.ends_with("messages"))
        continue;  // these are lists
      EXPECT_THAT(names,
                  Contains(prefix + key.substr(0, key.size() - (key.ends_with(suffix) ? suffix.size() : 0))));
    }
  };
  const Json& definitions = schema.at("definitions");
  expect_all("ledger.", definitions.at("ledger").at("properties"), "");
  expect_all("rates.", definitions.at("run").at("properties").at("rates").at("properties"), "");
  expect_all("network.", definitions.at("network").at("properties"), "");
  expect_all("network.per_task.", definitions.at("network").at("properties").at("per_task").at("properties"),
             "");
  for (const auto& [prefix, definition] : {std::pair{"pipeline.", "pipeline"},
                                           {"sharding.", "sharding"},
                                           {"recovery.", "recovery"},
                                           {"work.", "work"},
                                           {"work.r.", "work"},
                                           {"theory.", "prediction"},
                                           {"theory.r.", "prediction"}})
    expect_all(prefix, definitions.at(definition).at("properties"), "_ns");
  const Json& prediction = definitions.at("prediction").at("properties");
  for (const char* part : {"arrivals", "service", "model", "makespan"})
    expect_all("theory." + std::string(part) + ".", prediction.at(part).at("properties"), "_ns");
  expect_all("sharding.changes.",
             definitions.at("sharding").at("properties").at("changes").at("items").at("properties"), "_ns");
  expect_all("ledger.queues.q.",
             definitions.at("ledger").at("properties").at("queues").at("items").at("properties"), "");
  expect_all("ledger.dead_letters.",
             definitions.at("ledger").at("properties").at("dead_letters").at("properties"), "");
  for (const auto& [key, unused] : definitions.at("indices").at("properties").items()) {
    EXPECT_THAT(names, Contains("fairness.by_bytes." + key));
  }
}

}  // namespace
}  // namespace brokerlab
