#include "analysis/charts.h"

#include "analysis/chart_latency.h"
#include "core/error.h"

namespace brokerlab {

const std::vector<Chart>& charts() {
  static const std::vector<Chart> kCharts = {
      {"latency", "How old messages were when they arrived",
       "Each point says: this share of the messages was received within this time of the instant they were due. Solid "
       "lines count from that instant; the dashed line counts from the actual send and hides whatever delayed the "
       "sender. Dotted ends rest on fewer than ten messages.",
       false, chart::has_latency, chart::draw_latency},
      {"done-latency", "How old messages were when their work was done",
       "The same for the time until a consumer had finished the work: waiting in the queue and the work itself included.",
       false, chart::has_done_latency, chart::draw_done_latency},
      {"ecdf", "Share of messages received within a time",
       "Read upwards from a time: the line's height is the share of messages that had been received by then.", false,
       chart::has_latency, chart::draw_ecdf},
  };
  return kCharts;
}

const Chart& chart_named(std::string_view name) {
  std::vector<std::string> names;
  for (const Chart& chart : charts()) {
    if (chart.name == name) return chart;
    names.emplace_back(chart.name);
  }
  const std::string nearest = nearest_word(name, names);
  std::string all;
  for (const std::string& known : names) all += (all.empty() ? "" : ", ") + known;
  throw Error("there is no chart \"" + std::string(name) + "\"" +
                  (nearest.empty() ? "" : ", did you mean \"" + nearest + "\"?"),
              "--chart", "choose one of: " + all, ExitStatus::kUsage);
}

}  // namespace brokerlab
