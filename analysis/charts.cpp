#include "analysis/charts.h"

#include "analysis/chart_accounts.h"
#include "analysis/chart_broker.h"
#include "analysis/chart_churn.h"
#include "analysis/chart_forest.h"
#include "analysis/chart_knee.h"
#include "analysis/chart_latency.h"
#include "analysis/chart_sharding.h"
#include "analysis/chart_time.h"
#include "analysis/chart_workers.h"
#include "core/error.h"

namespace brokerlab {

namespace {

std::vector<Chart> overview_charts() {
  return {
      {"knee", "How fast it can go",
       "Points are single trials; lines are those of the middle trial, without a search of all repetitions "
       "together. Up to the knee latency hardly "
       "depends on the rate; beyond it a backlog grows, and with it latency, for as long as the trial lasts: "
       "how high the line climbs there says nothing. Below, where the line leaves the grey one, less was "
       "delivered than was offered.",
       ChartPlace::kOverview, chart::has_knee, chart::draw_knee},
      {"comparison", "The variants side by side",
       "One figure per panel, one bar per variant. Percentiles are taken over all repetitions together, "
       "other figures "
       "are medians over the repetitions.",
       ChartPlace::kOverview, chart::has_comparison, chart::draw_comparison},
      {"forest", "What differs, and what does not",
       "Each mark is the change of one figure against the first variant, with its 95 % interval. Within the "
       "grey band two are the same. An interval that leaves out no change, and survives the correction for "
       "so many figures, is a difference: better or worse. What chance may have made is grey.",
       ChartPlace::kOverview, chart::has_forest, chart::draw_forest},
      {"latency", "How old messages were when they arrived",
       "Each point says: this share of the messages had arrived within this time of the instant they were "
       "due. Solid "
       "lines count from that instant; dashed lines count from the actual send and so hide whatever delayed "
       "the sender. "
       "Dotted ends rest on fewer than ten messages.",
       ChartPlace::kOverview, chart::has_latency, chart::draw_latency},
      {"done-latency", "How old messages were when their work was done",
       "The same until a consumer had finished the work: waiting in queues and the work itself included.",
       ChartPlace::kOverview, chart::has_done_latency, chart::draw_done_latency},
      {"ecdf", "Share of messages that had arrived within a time",
       "Read upwards from a time: the height of the line is the share of messages that had arrived by then.",
       ChartPlace::kOverview, chart::has_latency, chart::draw_ecdf},
      {"fairness", "How evenly the work was shared",
       "Jain's index over the consumers: 1 when all got the same, 1/n when one of n got everything. Even by "
       "messages may "
       "be uneven by busy time.",
       ChartPlace::kOverview, chart::has_fairness, chart::draw_fairness},
      {"ledger", "What became of every message",
       "Sums over all repetitions. Above, the fate of what was published; below, the fate of the copies that "
       "queues held.",
       ChartPlace::kOverview, chart::has_ledger, chart::draw_ledger},
      {"network", "What it cost on the network",
       "Everything between the broker and the processes, divided by the number of messages that the loads "
       "published.",
       ChartPlace::kOverview, chart::has_network, chart::draw_network},
      {"backlog", "Messages in the system",
       "Copies that had been published and were not yet done. A line that keeps rising means that consumers "
       "cannot keep up.",
       ChartPlace::kOverview, chart::has_backlog, chart::draw_backlog},
  };
}

std::vector<Chart> variant_charts() {
  return {
      {"throughput", "Rates over time",
       "Lines that lie upon each other mean that everything offered was published, confirmed and delivered "
       "at once. With a "
       "fanout, deliveries outnumber what was published. Declared faults are shaded.",
       ChartPlace::kVariant, chart::has_throughput, chart::draw_throughput},
      {"recovery", "Faults and what followed",
       "The shaded windows, and the lines, are the faults. Above, the rates: what is published and not "
       "confirmed, and what comes a second time; below, what waited or was in work meanwhile.",
       ChartPlace::kVariant, chart::has_recovery, chart::draw_recovery},
      {"latency-over-time", "Latency over time",
       "Each value stands at the time when its messages were due, not when they arrived.",
       ChartPlace::kVariant, chart::has_latency_over_time, chart::draw_latency_over_time},
      {"churn", "What was opened and closed",
       "Each colour is an entry of the churn: how much of it was opened and closed, and how long an opening "
       "took from the moment it was due. Below, every kind of operation from its start to the broker's "
       "answer: the median, and the furthest percentile that ten samples lie beyond.",
       ChartPlace::kVariant, chart::has_churn, chart::draw_churn},
      {"broker", "What the broker said of itself",
       "Messages in the queues by the broker's count, beside the backlog by ours; the cores that its process "
       "kept busy; its memory; and how many connections and channels it held back, where it did. Gaps: it "
       "did "
       "not answer.",
       ChartPlace::kVariant, chart::has_broker, chart::draw_broker},
      {"messages-per-worker", "Messages per worker",
       "How many messages each consumer finished; means over repetitions.", ChartPlace::kVariant,
       chart::has_messages_per_worker, chart::draw_messages_per_worker},
      {"busy-time-per-worker", "Busy time per worker",
       "How long each consumer worked; means over repetitions.", ChartPlace::kVariant,
       chart::has_busy_time_per_worker, chart::draw_busy_time_per_worker},
      {"sharding", "Which queue got which share of the keys",
       "How many different routing keys, and how many messages, went to each queue. The dashed line is an "
       "even "
       "share; keys are counted anew after every change of membership.",
       ChartPlace::kVariant, chart::has_sharding, chart::draw_sharding},
      {"theory", "Theory beside measurement",
       "How long messages waited for the work to begin: as measured, as a replay of the same messages "
       "through one "
       "line says, and (diamonds) as the textbook says of such arrivals and services. Where they part, the "
       "table "
       "names the assumption that fails.",
       ChartPlace::kVariant, chart::has_theory, chart::draw_theory},
      {"gantt", "Who worked when",
       "Each stroke is one piece of work, from its start to its end; neighbours take turns between two "
       "shades. Gaps are idle "
       "time.",
       ChartPlace::kVariant, chart::has_gantt, chart::draw_gantt},
  };
}

}  // namespace

const std::vector<Chart>& charts() {
  static const std::vector<Chart> kCharts = [] {
    std::vector<Chart> all = overview_charts();
    for (const Chart& chart : variant_charts()) all.push_back(chart);
    return all;
  }();
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
