// Every export is read back by a program of other people.
#include <gmock/gmock.h>

#include <map>

#include "analysis/export_csv.h"
#include "analysis/export_histogram.h"
#include "analysis/merge.h"
#include "tests/analysis/report_fixture.h"
#include "tests/answer_of.h"

namespace brokerlab {
namespace {

Json rows_of(const std::string& csv) {
  return answer_of("python3 -c 'import csv,json,sys; print(json.dumps(list(csv.DictReader(sys.stdin))))'",
                   csv);
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

}  // namespace
}  // namespace brokerlab
