#include "analysis/export_openmetrics.h"

#include <utility>

#include "core/metric_text.h"

namespace brokerlab {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

// The samples of a result: each belongs to a run.
class Exposition {
 public:
  explicit Exposition(MetricLabels common) : text_(MetricFormat::kOpenMetrics, std::move(common)) {}

  void family(const char* name, MetricText::Type type, const char* unit, const char* help) {
    text_.family(name, type, unit, help);
  }

  void sample(const char* suffix, const Json& run, const MetricLabels& more, double value) {
    MetricLabels labels = {{"variant", run.at("variant").get<std::string>()},
                           {"repetition", run.at("repetition").dump()}};
    labels.insert(labels.end(), more.begin(), more.end());
    text_.sample(suffix, labels, value);
  }

  std::string finish() && { return std::move(text_).finish(); }

 private:
  MetricText text_;
};

void add_latencies(const Json& runs, Exposition& exposition) {
  exposition.family("brokerlab_latency_seconds", MetricText::Type::kSummary, "seconds",
                    "Latencies of a run; what each stream counts from stands in docs/metrics.md.");
  for (const Json& run : runs) {
    const Json& latency = run.at("latency");
    for (auto entry = latency.begin(); entry != latency.end(); ++entry) {
      const Json& stream = entry.value();
      if (!stream.contains("hdr")) continue;
      for (const auto& [key, quantile] :
           {std::pair{"p50_ns", "0.5"}, {"p90_ns", "0.9"}, {"p99_ns", "0.99"}, {"p99_9_ns", "0.999"}}) {
        if (stream.at(key).is_number())
          exposition.sample("", run, {{"stream", entry.key()}, {"quantile", quantile}},
                            stream.at(key).get<double>() / kNanosecondsPerSecond);
      }
      const double count = stream.at("count").get<double>();
      exposition.sample("_count", run, {{"stream", entry.key()}}, count);
      exposition.sample("_sum", run, {{"stream", entry.key()}},
                        count * stream.at("mean_ns").get<double>() / kNanosecondsPerSecond);
    }
  }
}

// Every number directly in `part` of a run, as one gauge with the figure's name as a label.
void add_figures(const Json& runs, const char* part, const std::string& suffix, Exposition& exposition) {
  for (const Json& run : runs) {
    if (!run.contains(part)) continue;
    const Json& figures = run.at(part);
    for (auto entry = figures.begin(); entry != figures.end(); ++entry) {
      std::string name = entry.key();
      if (!entry.value().is_number() || !name.ends_with(suffix)) continue;
      name.resize(name.size() - suffix.size());
      exposition.sample("", run, {{"figure", name}}, entry.value().get<double>());
    }
  }
}

void add_fairness(const Json& runs, Exposition& exposition) {
  exposition.family("brokerlab_fairness", MetricText::Type::kGauge, "", "How evenly consumers shared.");
  for (const Json& run : runs) {
    for (const char* by : {"by_messages", "by_bytes", "by_busy_time"}) {
      const Json indices = run.at("fairness").value(by, Json::object());
      for (auto index = indices.begin(); index != indices.end(); ++index) {
        if (index.value().is_number())
          exposition.sample("", run, {{"by", by}, {"index", index.key()}}, index.value().get<double>());
      }
    }
  }
}

void add_nodes(const Json& runs, Exposition& exposition) {
  exposition.family("brokerlab_broker_node", MetricText::Type::kGauge, "",
                    "What each node of the broker used during the load: cores, and bytes at most.");
  for (const Json& run : runs) {
    const Json broker = run.value("broker", Json::object());
    const Json nodes = broker.value("nodes", Json::array());
    for (const Json& node : nodes) {
      for (auto figure = node.begin(); figure != node.end(); ++figure) {
        if (figure.value().is_number())
          exposition.sample("", run, {{"node", node.at("name").get<std::string>()}, {"figure", figure.key()}},
                            figure.value().get<double>());
      }
    }
  }
}

void add_state(const Json& runs, Exposition& exposition) {
  exposition.family("brokerlab_makespan_seconds", MetricText::Type::kGauge, "seconds",
                    "From the first message due to the last work done.");
  for (const Json& run : runs)
    if (run.contains("makespan_ns"))
      exposition.sample("", run, {}, run.at("makespan_ns").get<double>() / kNanosecondsPerSecond);
  exposition.family("brokerlab_valid", MetricText::Type::kGauge, "",
                    "1 where the measurement can be trusted.");
  for (const Json& run : runs)
    exposition.sample("", run, {}, run.at("verdict").at("status") == "valid" ? 1 : 0);
  exposition.family("brokerlab_flag_failed", MetricText::Type::kGauge, "",
                    "1 for a doubt about the measurement; none where it was not checked.");
  for (const Json& run : runs)
    for (const Json& flag : run.at("flags"))
      if (flag.at("state") != "unmeasured")
        exposition.sample("", run, {{"flag", flag.at("name").get<std::string>()}},
                          flag.at("state") == "fail" ? 1 : 0);
}

}  // namespace

std::string export_openmetrics(const Json& result, const Json& runs) {
  Exposition exposition({{"experiment", result.at("experiment").get<std::string>()}});
  add_latencies(runs, exposition);
  exposition.family("brokerlab_messages_per_second", MetricText::Type::kGauge, "", "Mean rates of a run.");
  add_figures(runs, "rates", "_per_s", exposition);
  exposition.family("brokerlab_ledger_messages", MetricText::Type::kGauge, "",
                    "The account of every message of a run.");
  add_figures(runs, "ledger", "", exposition);
  exposition.family("brokerlab_network", MetricText::Type::kGauge, "",
                    "Messages, frames and bytes between the broker and all processes.");
  add_figures(runs, "network", "", exposition);
  exposition.family("brokerlab_broker", MetricText::Type::kGauge, "",
                    "What the broker told of itself: depths of queues, shares of its samples.");
  add_figures(runs, "broker", "", exposition);
  add_nodes(runs, exposition);
  add_fairness(runs, exposition);
  add_state(runs, exposition);
  return std::move(exposition).finish();
}

}  // namespace brokerlab
