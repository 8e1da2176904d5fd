// Every export is read back by a program of other people.
#include <gmock/gmock.h>

#include <cstdlib>
#include <map>

#include "analysis/export_csv.h"
#include "analysis/export_gbench.h"
#include "analysis/export_histogram.h"
#include "analysis/export_openmetrics.h"
#include "analysis/merge.h"
#include "analysis/statistics.h"
#include "tests/analysis/report_fixture.h"
#include "tests/answer_of.h"

namespace brokerlab {
namespace {

Json rows_of(const std::string& csv) {
  return answer_of(
      "/usr/bin/python3 -c 'import csv,json,sys; print(json.dumps(list(csv.DictReader(sys.stdin))))'", csv);
}

TEST(Export, CsvHasEveryFigureOfEveryRun) {
  Json runs = fixture("work_queue")["runs"];
  runs[0]["variant"] = "push, \"quoted\"\nname";
  const Json rows = rows_of(export_csv(runs));
  std::map<std::pair<std::string, std::string>, Json> found;
  for (const Json& row : rows) {
    EXPECT_TRUE(found
                    .insert({{row["variant"].get<std::string>() + row["repetition"].get<std::string>(),
                              row["metric"].get<std::string>()},
                             row})
                    .second);
  }
  for (const Json& run : runs) {
    const std::string key = run["variant"].get<std::string>() + run["repetition"].dump();
    const Json p50 = found[{key, "latency.end_to_end.p50_ns"}];
    EXPECT_EQ(std::stod(p50["value"].get<std::string>()),
              run["latency"]["end_to_end"]["p50_ns"].get<double>());
    EXPECT_EQ(p50["unit"], "ns");
    EXPECT_EQ((found[{key, "phase_ns.measure_end"}]["unit"]), "ns");
    const Json rate = found[{key, "rates.delivered_per_s"}];
    EXPECT_EQ(std::stod(rate["value"].get<std::string>()), run["rates"]["delivered_per_s"].get<double>());
    EXPECT_EQ(rate["unit"], "1/s");
  }
}

TEST(Export, SeriesCsvHasEveryPoint) {
  const Json runs = fixture("work_queue")["runs"];
  const Json rows = rows_of(export_series_csv(runs));
  std::size_t points = 0;
  for (const Json& run : runs) {
    for (const Json& series : run["series"]) {
      if (!series.is_array()) continue;
      for (const Json& value : series) points += value.is_number() ? 1 : 0;
    }
  }
  EXPECT_EQ(rows.size(), points);
  EXPECT_GT(points, 100U);
}

TEST(Export, AnIndependentReaderPrintsTheSameDistributionAndReadsTheLog) {
  const std::filesystem::path folder = std::filesystem::path(BROKERLAB_SOURCE_DIR) / "tests/independent";
  if (!std::filesystem::exists(folder / "node_modules"))
    GTEST_SKIP() << "the independent reader is not installed: run script/bootstrap --test";
  const Json result = fixture("work_queue");
  const std::vector<Json> runs = result["runs"];
  const Histogram all = merged_stream(runs, "end_to_end");
  ASSERT_GT(all.count(), 0);
  const Json input = {{"encoded", all.encode()}, {"log", export_histogram_log(result, runs, "")}};
  const Json answer = answer_of("node '" + (folder / "exports.js").string() + "'", input.dump());
  EXPECT_EQ(percentile_distribution(all), answer["distribution"].get<std::string>());

  EXPECT_GT(answer["start"].get<double>(), 1e9);
  std::size_t next = 0;
  for (const Json& run : runs) {
    for (auto entry = run["latency"].begin(); entry != run["latency"].end(); ++entry) {
      if (!entry.value().contains("hdr")) continue;
      ASSERT_LT(next, answer["intervals"].size());
      const Json& read = answer["intervals"][next++];
      const Histogram own = Histogram::decode(entry.value()["hdr"].get<std::string>());
      EXPECT_EQ(read["tag"], run["variant"].get<std::string>() + "/" + entry.key());
      EXPECT_EQ(read["count"].get<std::int64_t>(), own.count());
      EXPECT_EQ(read["p50"].get<std::int64_t>(), own.quantile(0.5));
      EXPECT_EQ(read["p99"].get<std::int64_t>(), own.quantile(0.99));
      EXPECT_EQ(read["max"].get<std::int64_t>(), own.max());
    }
  }
  EXPECT_EQ(next, answer["intervals"].size());
}

// Whether a Python program of ours can import what it needs; where not, script/bootstrap --test installs it.
bool importable(const std::string& modules) {
  return std::system(("/usr/bin/python3 -c 'import " + modules + "' 2>/dev/null").c_str()) == 0;
}

std::string independent(const char* program) {
  return "/usr/bin/python3 '" BROKERLAB_SOURCE_DIR "/tests/independent/" + std::string(program) + "'";
}

TEST(Export, ThePrometheusParserReadsEverySample) {
  if (!importable("prometheus_client.openmetrics.parser"))
    GTEST_SKIP() << "python3-prometheus-client is not installed: run script/bootstrap --test";
  const Json result = fixture("work_queue");
  Json runs = result["runs"];
  runs[0]["variant"] = "push, \"quoted\"\nand \\ more";
  std::map<std::string, double> found;
  for (const Json& sample : answer_of(independent("openmetrics.py"), export_openmetrics(result, runs))) {
    const Json& labels = sample["labels"];
    EXPECT_EQ(labels["experiment"], result["experiment"]);
    std::string key = sample["name"].get<std::string>() + " " + labels["variant"].get<std::string>() + " " +
                      labels["repetition"].get<std::string>();
    for (const char* label : {"stream", "quantile", "figure", "flag"})
      if (labels.contains(label)) key += " " + labels[label].get<std::string>();
    found[key] = sample["value"].get<double>();
    if (sample["family"] == "brokerlab_latency_seconds") {
      EXPECT_EQ(sample["type"], "summary");
      EXPECT_EQ(sample["unit"], "seconds");
    }
  }
  for (const Json& run : runs) {
    const std::string of = " " + run["variant"].get<std::string>() + " " + run["repetition"].dump();
    const Json& stream = run["latency"]["end_to_end"];
    EXPECT_DOUBLE_EQ(found["brokerlab_latency_seconds" + of + " end_to_end 0.5"],
                     stream["p50_ns"].get<double>() / 1e9);
    EXPECT_EQ(found["brokerlab_latency_seconds_count" + of + " end_to_end"], stream["count"].get<double>());
    EXPECT_EQ(found["brokerlab_messages_per_second" + of + " delivered"],
              run["rates"]["delivered_per_s"].get<double>());
    EXPECT_EQ(found["brokerlab_ledger_messages" + of + " published"],
              run["ledger"]["published"].get<double>());
    EXPECT_EQ(found["brokerlab_valid" + of], run["verdict"]["status"] == "valid" ? 1 : 0);
  }
}

// The U test of their tool and ours, on five repetitions without ties, where both are exact.
TEST(Export, GoogleBenchmarksOwnComparisonFindsWhatOursDoes) {
  const char* place = std::getenv("BROKERLAB_GBENCH_COMPARE");
  const std::string compare = place != nullptr ? place : "/usr/share/benchmark/compare.py";
  if (!std::filesystem::exists(compare) || !importable("scipy.stats"))
    GTEST_SKIP() << "libbenchmark-tools or python3-scipy is not installed: run script/bootstrap --test";
  Json baseline = fixture("work_queue"), candidate = baseline;
  const Json run = baseline["runs"][0];
  std::vector<double> first, second;
  for (Json* result : {&baseline, &candidate}) {
    (*result)["runs"] = Json::array();
    std::vector<double>& values = result == &baseline ? first : second;
    for (int i = 0; i < 5; ++i) {
      Json trial = run;
      trial["repetition"] = i;
      values.push_back((result == &baseline ? 1e9 : 1.02e9) + 7e6 * i);
      trial["makespan_ns"] = static_cast<std::int64_t>(values.back());
      (*result)["runs"].push_back(std::move(trial));
    }
  }
  const Json found = answer_of(independent("gbench.py") + " '" + compare + "'",
                               Json{{"baseline", export_gbench(baseline, baseline["runs"])},
                                    {"candidate", export_gbench(candidate, candidate["runs"])}}
                                   .dump());
  const std::string name = run["variant"].get<std::string>() + "/makespan";
  std::size_t names = 0;
  for (const Json& each : found) {
    if (each["name"] == run["variant"].get<std::string>() + "/end_to_end/p50") ++names;
    if (each["name"] != name) continue;
    ++names;
    ASSERT_EQ(each["measurements"].size(), 5U);
    EXPECT_NEAR(each["measurements"][0]["time"].get<double>(), .02, 1e-9);
    EXPECT_EQ(each["utest"]["nr_of_repetitions"], 5);
    EXPECT_NEAR(each["utest"]["time_pvalue"].get<double>(), mann_whitney_p(first, second), 1e-12);
  }
  EXPECT_EQ(names, 2U) << found.dump().substr(0, 1000);
}

}  // namespace
}  // namespace brokerlab
