#include "live/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace brokerlab::live {
namespace {

using Type = MetricText::Type;
using Runs = std::vector<const RunView*>;

constexpr std::array kOwnLabels = {"experiment", "run_id",     "variant", "repetition", "name",
                                   "kind",       "stage",      "le",      "quantile",   "direction",
                                   "version",    "error_type", "job",     "instance"};

struct Figure {
  const char* key;  // of EntryView::totals or now
  const char* name;
  const char* unit;
  const char* help;
  double scale = 1;
};

constexpr std::array<Figure, 17> kTotals = {{
    {"scheduled", "brokerlab_scheduled_messages", "", "Messages whose intended time has come."},
    {"published", "brokerlab_published_messages", "", "Messages handed to the transport."},
    {"confirmed", "brokerlab_confirmed_messages", "", "Messages that the broker confirmed."},
    {"returned", "brokerlab_returned_messages", "", "Messages that came back as unroutable."},
    {"nacked", "brokerlab_nacked_messages", "", "Messages that the broker refused."},
    {"received", "brokerlab_received_messages", "", "Deliveries received."},
    {"done", "brokerlab_done_messages", "", "Deliveries worked off."},
    {"redelivered", "brokerlab_redelivered_messages", "", "Deliveries flagged as redelivered."},
    {"ignored", "brokerlab_ignored_messages", "", "Deliveries that the role's rule did not match."},
    {"unreadable", "brokerlab_unreadable_messages", "", "Deliveries whose body was not as expected."},
    {"corrupted", "brokerlab_corrupted_messages", "", "Deliveries whose body was not the one that was sent."},
    {"opened", "brokerlab_churn_opened", "", "Things that a churn opened."},
    {"closed", "brokerlab_churn_closed", "", "Things that a churn closed."},
    {"failed", "brokerlab_churn_failed", "", "Operations of a churn that failed."},
    {"busy_ns", "brokerlab_busy_seconds", "seconds", "Time in work, over all consumers of a role.", 1e-9},
    {"cpu_ns", "brokerlab_process_cpu_seconds", "seconds", "CPU time of the processes.", 1e-9},
    {"begun", "brokerlab_churn_begun", "", "Operations that a churn began."},
}};

constexpr std::array<Figure, 4> kLevels = {{
    {"unsettled", "brokerlab_unsettled_messages", "",
     "Messages published and not answered by the broker yet."},
    {"in_hand", "brokerlab_in_hand_messages", "", "Deliveries received and not worked off yet."},
    {"open", "brokerlab_churn_open", "", "Things that a churn holds open."},
    {"rss_bytes", "brokerlab_process_resident_bytes", "bytes", "Resident memory of the processes."},
}};

MetricLabels labels_of(const RunView& run) {
  return {{"experiment", run.identity.experiment},
          {"run_id", run.identity.run_id},
          {"variant", run.identity.variant},
          {"repetition", std::to_string(run.identity.repetition)}};
}

MetricLabels with(MetricLabels labels, const MetricLabels& more) {
  labels.insert(labels.end(), more.begin(), more.end());
  return labels;
}

const char* kind_text(EntryView::Kind kind) {
  switch (kind) {
    case EntryView::Kind::kLoad:
      return "load";
    case EntryView::Kind::kChurn:
      return "churn";
    case EntryView::Kind::kRole:
      break;
  }
  return "role";
}

MetricLabels labels_of(const RunView& run, const EntryView& entry) {
  return with(labels_of(run), {{"name", entry.name}, {"kind", kind_text(entry.kind)}});
}

MetricLabels labels_of(const RunView& run, const Flow& flow) {
  return with(labels_of(run), {{"name", flow.entry}, {"kind", flow.role ? "role" : "load"}});
}

// As the conventions want them; a destination that is one of many is left out there, too.
MetricLabels messaging_labels(const RunView& run, const Flow& flow, const char* operation, const char* type,
                              const char* error = "") {
  MetricLabels labels = with(labels_of(run, flow), {{"messaging_system", "rabbitmq"},
                                                    {"messaging_operation_name", operation},
                                                    {"messaging_operation_type", type}});
  if (!flow.destination.empty()) labels.emplace_back("messaging_destination_name", flow.destination);
  if (flow.role) labels.emplace_back("messaging_consumer_group_name", flow.entry);
  if (*error != 0) labels.emplace_back("error_type", error);
  return labels;
}

void add_histogram(MetricText& text, const MetricLabels& labels, const Buckets& buckets) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    below += buckets.counts()[i];
    text.sample("_bucket", with(labels, {{"le", kBounds[i].seconds}}), static_cast<double>(below));
  }
  text.sample("_bucket", with(labels, {{"le", "+Inf"}}), static_cast<double>(buckets.count()));
  text.sample("_sum", labels, buckets.sum_s());
  text.sample("_count", labels, static_cast<double>(buckets.count()));
}

void add_messaging_counters(MetricText& text, const Runs& runs) {
  text.family("messaging_client_sent_messages", Type::kCounter, "", "Messages sent to the broker.");
  for (const RunView* run : runs)
    for (const Flow& flow : run->flows)
      if (flow.publishes)
        text.sample("", messaging_labels(*run, flow, "publish", "send"), static_cast<double>(flow.sent));
  text.family("messaging_client_consumed_messages", Type::kCounter, "",
              "Messages that the broker delivered, each time it did.");
  for (const RunView* run : runs)
    for (const Flow& flow : run->flows)
      if (flow.consumes)
        text.sample("", messaging_labels(*run, flow, "deliver", "receive"),
                    static_cast<double>(flow.consumed));
}

void add_operations(MetricText& text, const RunView& run, const Flow& flow) {
  const auto add = [&](const Buckets& buckets, const char* operation, const char* type,
                       const char* error = "", bool always = false) {
    if (always || buckets.count() > 0)
      add_histogram(text, messaging_labels(run, flow, operation, type, error), buckets);
  };
  add(flow.published, "publish", "send", "", flow.publishes);
  add(flow.nacked, "publish", "send", "nack");
  add(flow.returned, "publish", "send", "return");
  add(flow.acked, "ack", "settle");
  add(flow.requeued, "requeue", "settle");
  add(flow.rejected, "reject", "settle");
}

void add_messaging_histograms(MetricText& text, const Runs& runs) {
  text.family("messaging_client_operation_duration_seconds", Type::kHistogram, "seconds",
              "publish: sent to answered by the broker; settle: work done, else received, to written.");
  for (const RunView* run : runs)
    for (const Flow& flow : run->flows) add_operations(text, *run, flow);
  text.family("messaging_process_duration_seconds", Type::kHistogram, "seconds",
              "Work of a consumer on a message.");
  for (const RunView* run : runs)
    for (const Flow& flow : run->flows)
      if (flow.consumes)
        add_histogram(text, messaging_labels(*run, flow, "process", "process"), flow.processed);
}

struct Stream {
  const char* name;
  const char* help;
  Buckets Flow::*buckets;
  bool role;
};
constexpr std::array<Stream, 4> kStreams = {{
    {"brokerlab_end_to_end_seconds", "From the intended time of a message to its receipt.", &Flow::end_to_end,
     true},
    {"brokerlab_done_seconds", "From the intended time of a message to the end of the work on it.",
     &Flow::done, true},
    {"brokerlab_send_delay_seconds", "From the intended time of a message to the start of its write.",
     &Flow::send_delay, false},
    {"brokerlab_confirm_from_intended_seconds", "From the intended time of a message to its confirm.",
     &Flow::confirmed_from_intended, false},
}};

void add_own_histograms(MetricText& text, const Runs& runs) {
  for (const Stream& stream : kStreams) {
    text.family(stream.name, Type::kHistogram, "seconds", stream.help);
    for (const RunView* run : runs) {
      for (const Flow& flow : run->flows) {
        if (stream.role ? !flow.consumes : !flow.publishes) continue;
        MetricLabels labels = labels_of(*run, flow);
        if (!flow.destination.empty()) labels.emplace_back("messaging_destination_name", flow.destination);
        add_histogram(text, labels, flow.*stream.buckets);
      }
    }
  }
}

void add_totals(MetricText& text, const Runs& runs) {
  for (const Figure& figure : kTotals) {
    text.family(figure.name, Type::kCounter, figure.unit, figure.help);
    for (const RunView* run : runs) {
      for (const EntryView& entry : run->entries) {
        const auto found = entry.totals.find(figure.key);
        if (found != entry.totals.end())
          text.sample("", labels_of(*run, entry), static_cast<double>(found->second) * figure.scale);
      }
    }
  }
  text.family("brokerlab_network_bytes", Type::kCounter, "bytes", "Between the processes and the broker.");
  for (const RunView* run : runs) {
    for (const EntryView& entry : run->entries) {
      for (const auto& [key, direction] : {std::pair{"bytes_in", "in"}, std::pair{"bytes_out", "out"}}) {
        const auto found = entry.totals.find(key);
        if (found != entry.totals.end())
          text.sample("", with(labels_of(*run, entry), {{"direction", direction}}),
                      static_cast<double>(found->second));
      }
    }
  }
  text.family("brokerlab_faults_started", Type::kCounter, "", "Faults that have struck.");
  for (const RunView* run : runs)
    text.sample("", labels_of(*run),
                static_cast<double>(std::count_if(run->faults.begin(), run->faults.end(),
                                                  [](const FaultView& fault) { return fault.started_ns; })));
}

void add_levels(MetricText& text, const RunView& run) {
  for (const Figure& figure : kLevels) {
    text.family(figure.name, Type::kGauge, figure.unit, figure.help);
    for (const EntryView& entry : run.entries) {
      const auto found = entry.now.find(figure.key);
      if (found != entry.now.end())
        text.sample("", labels_of(run, entry), static_cast<double>(found->second));
    }
  }
  const auto of_entries = [&](const char* name, const char* help, const auto& figure) {
    text.family(name, Type::kGauge, "", help);
    for (const EntryView& entry : run.entries)
      text.sample("", labels_of(run, entry), static_cast<double>(figure(entry)));
  };
  of_entries("brokerlab_instances", "Publishers or consumers.", [](const auto& e) { return e.instances; });
  of_entries("brokerlab_processes", "Processes started.", [](const auto& e) { return e.processes; });
  of_entries("brokerlab_processes_alive", "Processes alive.",
             [](const auto& e) { return e.processes_alive; });
  of_entries("brokerlab_blocked", "1 while the broker blocks a connection, or there is none.",
             [](const auto& e) { return e.blocked ? 1 : 0; });
}

void add_run_state(MetricText& text, const RunView& run) {
  text.family("brokerlab_run_elapsed_seconds", Type::kGauge, "seconds", "Since the start of the load.");
  text.sample("", labels_of(run), static_cast<double>(run.elapsed_ns) / kNanosecondsPerSecond);
  text.family("brokerlab_run_progress_ratio", Type::kGauge, "ratio", "How much of the load is done.");
  text.sample("", labels_of(run), run.done_share);
  text.family("brokerlab_run_stage", Type::kGauge, "", "1 for the stage that the run is in.");
  for (const char* stage : {"start", "load", "drain", "stop"})
    text.sample("", with(labels_of(run), {{"stage", stage}}), run.stage == stage ? 1 : 0);
  text.family("brokerlab_faults_active", Type::kGauge, "", "Faults in force.");
  text.sample("", labels_of(run),
              static_cast<double>(std::count_if(run.faults.begin(), run.faults.end(),
                                                [](const FaultView& fault) { return fault.active(); })));
}

// What the broker told of itself last; absent where it did not.
void add_broker(MetricText& text, const RunView& run) {
  using Node = BrokerFigures::Node;
  const auto of_nodes = [&](const char* name, const char* unit, const char* help, const auto& figure) {
    text.family(name, Type::kGauge, unit, help);
    for (const Node& node : run.broker.nodes) {
      if (const auto value = figure(node))
        text.sample("", with(labels_of(run), {{"node", node.name}}), static_cast<double>(*value));
    }
  };
  of_nodes("brokerlab_broker_cpu_cores", "", "CPU of the node's process, in cores.",
           [](const Node& node) { return node.cpu_cores; });
  of_nodes("brokerlab_broker_resident_bytes", "bytes", "Resident memory of the node's process.",
           [](const Node& node) { return node.resident_bytes; });
  of_nodes("brokerlab_broker_memory_bytes", "bytes", "Memory of the node by its own count.",
           [](const Node& node) { return node.memory_bytes; });
  of_nodes("brokerlab_broker_memory_alarm", "", "1 while the node's memory alarm is on.",
           [](const Node& node) { return node.memory_alarm; });
  of_nodes("brokerlab_broker_disk_alarm", "", "1 while the node's disk alarm is on.",
           [](const Node& node) { return node.disk_alarm; });
  of_nodes("brokerlab_broker_connections", "", "Connections to the node.",
           [](const Node& node) { return node.connections; });
  of_nodes("brokerlab_broker_connections_in_flow", "", "Connections held back by credit flow.",
           [](const Node& node) { return node.connections_in_flow; });
  of_nodes("brokerlab_broker_connections_blocked", "", "Connections blocked by an alarm.",
           [](const Node& node) { return node.connections_blocked; });
  of_nodes("brokerlab_broker_channels", "", "Channels on the node.",
           [](const Node& node) { return node.channels; });
  of_nodes("brokerlab_broker_channels_in_flow", "", "Channels held back by credit flow.",
           [](const Node& node) { return node.channels_in_flow; });
  const auto of_queues = [&](const char* name, const char* help, const std::optional<std::int64_t>& all,
                             std::int64_t BrokerFigures::Queue::*figure) {
    text.family(name, Type::kGauge, "", help);
    for (const BrokerFigures::Queue& queue : run.broker.queues)
      text.sample("", with(labels_of(run), {{"queue", own_name(queue.name, run.identity.prefix)}}),
                  static_cast<double>(queue.*figure));
    if (run.broker.queues.empty() && all) text.sample("", labels_of(run), static_cast<double>(*all));
  };
  of_queues("brokerlab_broker_queue_ready_messages",
            "Messages in a queue, or in all of them, to be delivered.", run.broker.ready,
            &BrokerFigures::Queue::ready);
  of_queues("brokerlab_broker_queue_unacked_messages", "Messages delivered and not acknowledged.",
            run.broker.unacked, &BrokerFigures::Queue::unacked);
}

void add_program(MetricText& text, const Snapshot& snapshot) {
  text.family("brokerlab_info", Type::kGauge, "", "The program.");
  text.sample("", {{"version", BROKERLAB_VERSION}}, 1);
  text.family("brokerlab_runs_finished", Type::kCounter, "", "Runs that are over.");
  text.sample("", {}, static_cast<double>(snapshot.runs_finished));
  text.family("brokerlab_figures_up_to_date", Type::kGauge, "",
              "0 while the histograms lag behind the recordings they are read from.");
  text.sample("", {}, snapshot.up_to_date ? 1 : 0);
  text.family("brokerlab_unfollowed_records", Type::kCounter, "",
              "Messages missing from the histograms of what came after their publish or receipt, because too "
              "many were under way.");
  text.sample("", {}, static_cast<double>(snapshot.unfollowed));
}

// The weight of a media type in an Accept header; 0 when it is not in there.
double weight_of(std::string_view accept, std::string_view type) {
  const std::size_t at = accept.find(type);
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = accept.substr(at, accept.find(',', at) - at);
  const std::size_t q = rest.find("q=");
  double weight = 1;
  if (q != std::string_view::npos) std::from_chars(rest.data() + q + 2, rest.data() + rest.size(), weight);
  return weight;
}

}  // namespace

std::string metrics_text(const Snapshot& snapshot, MetricFormat format, const MetricLabels& tags) {
  MetricText text(format, tags);
  Runs runs;
  for (const auto& run : snapshot.finished) runs.push_back(run.get());
  if (snapshot.current) runs.push_back(&*snapshot.current);
  add_program(text, snapshot);
  add_messaging_counters(text, runs);
  add_messaging_histograms(text, runs);
  add_own_histograms(text, runs);
  add_totals(text, runs);
  if (snapshot.current) {
    add_levels(text, *snapshot.current);
    add_run_state(text, *snapshot.current);
    add_broker(text, *snapshot.current);
  }
  return std::move(text).finish();
}

MetricFormat wanted_format(std::string_view accept) {
  const double open = weight_of(accept, "application/openmetrics-text");
  return open > 0 && open >= weight_of(accept, "text/plain") ? MetricFormat::kOpenMetrics
                                                             : MetricFormat::kPrometheus;
}

const char* content_type(MetricFormat format) {
  return format == MetricFormat::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8";
}

bool label_taken(std::string_view name) {
  return name.starts_with("messaging_") ||
         std::find(kOwnLabels.begin(), kOwnLabels.end(), name) != kOwnLabels.end();
}

}  // namespace brokerlab::live
