#include "analysis/export_gbench.h"

#include <map>
#include <string>

namespace brokerlab {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

// The figures of one run, each an entry of `benchmarks`.
class Entries {
 public:
  Entries(const Json& run, std::size_t repetitions, Json& benchmarks)
      : variant_(run.at("variant").get<std::string>()),
        repetition_(run.at("repetition").get<int>()),
        repetitions_(repetitions),
        benchmarks_(benchmarks) {}

  // Nothing for what was not measured.
  Json* add(const std::string& figure, const Json& nanoseconds, const Json& iterations) {
    if (!nanoseconds.is_number()) return nullptr;
    const std::string name = (variant_.empty() ? "" : variant_ + "/") + figure;
    benchmarks_.push_back({{"name", name},
                           {"run_name", name},
                           {"run_type", "iteration"},
                           {"repetitions", repetitions_},
                           {"repetition_index", repetition_},
                           {"threads", 1},
                           {"iterations", iterations},
                           {"real_time", nanoseconds.get<double>()},
                           {"cpu_time", nanoseconds.get<double>()},
                           {"time_unit", "ns"}});
    return &benchmarks_.back();
  }

 private:
  std::string variant_;
  int repetition_;
  std::size_t repetitions_;
  Json& benchmarks_;
};

void add_run(const Json& run, Entries& entries) {
  const Json& latency = run.at("latency");
  for (auto stream = latency.begin(); stream != latency.end(); ++stream) {
    if (!stream.value().contains("hdr")) continue;
    for (const char* statistic : {"mean", "p50", "p90", "p99"}) {
      const std::string key = std::string(statistic) + "_ns";
      entries.add(stream.key() + "/" + statistic, stream.value().at(key), stream.value().at("count"));
    }
  }
  if (run.contains("makespan_ns")) entries.add("makespan", run.at("makespan_ns"), 1);
  const Json& rates = run.at("rates");
  for (const char* rate : {"published", "confirmed", "delivered"}) {
    const auto found = rates.find(std::string(rate) + "_per_s");
    if (found == rates.end() || !found->is_number() || *found <= 0) continue;
    const double per_second = found->get<double>();
    Json* entry = entries.add(std::string(rate) + "/time_per_message", kNanosecondsPerSecond / per_second, 1);
    (*entry)["items_per_second"] = per_second;
  }
}

}  // namespace

Json export_gbench(const Json& result, const Json& runs) {
  const Json& environment = result.at("environment");
  const Json host = environment.value("host", Json::object());
  Json context = {{"date", result.at("started_at")}, {"host_name", host.value("hostname", "")},
                  {"executable", "brokerlab"},       {"num_cpus", host.value("cores", 0)},
                  {"caches", Json::array()},         {"load_avg", Json::array()},
                  {"library_build_type", "release"}, {"experiment", result.at("experiment")},
                  {"run_id", result.at("run_id")}};
  const Json versions = environment.value("versions", Json::object());
  for (auto version = versions.begin(); version != versions.end(); ++version)
    context[version.key() + "_version"] = version.value();
  std::map<std::string, std::size_t> repetitions;
  for (const Json& run : runs) ++repetitions[run.at("variant").get<std::string>()];
  Json benchmarks = Json::array();
  for (const Json& run : runs) {
    Entries entries(run, repetitions.at(run.at("variant").get<std::string>()), benchmarks);
    add_run(run, entries);
  }
  return {{"context", std::move(context)}, {"benchmarks", std::move(benchmarks)}};
}

}  // namespace brokerlab
