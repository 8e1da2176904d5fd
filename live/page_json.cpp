#include "live/page_json.h"

#include <algorithm>

namespace brokerlab::live {
namespace {

double seconds(Nanoseconds ns) { return static_cast<double>(ns) / kNanosecondsPerSecond; }

Json maybe_ms(const std::optional<Nanoseconds>& ns) {
  return ns ? Json(static_cast<double>(*ns) / 1e6) : Json();
}

template <class Number>
Json maybe(const std::optional<Number>& value) {
  return value ? Json(*value) : Json();
}

std::int64_t figure(const std::map<std::string, std::int64_t>& figures, const char* key) {
  const auto found = figures.find(key);
  return found == figures.end() ? 0 : found->second;
}

const char* kind_text(EntryView::Kind kind) {
  return kind == EntryView::Kind::kLoad ? "load" : kind == EntryView::Kind::kChurn ? "churn" : "role";
}

Json entry_json(const EntryView& entry) {
  const bool load = entry.kind == EntryView::Kind::kLoad, churn = entry.kind == EntryView::Kind::kChurn;
  std::int64_t trouble = 0;
  for (const char* key : {"returned", "nacked", "redelivered", "failed"})
    trouble += figure(entry.totals, key);
  return {{"name", entry.name},
          {"kind", kind_text(entry.kind)},
          {"instances", entry.instances},
          {"processes", entry.processes},
          {"alive", entry.processes_alive},
          {"messages", figure(entry.totals, churn  ? "opened"
                                            : load ? "published"
                                                   : "done")},
          {"answered", figure(entry.totals, churn  ? "closed"
                                            : load ? "confirmed"
                                                   : "received")},
          {"waiting", figure(entry.now, churn  ? "open"
                                        : load ? "unsettled"
                                               : "in_hand")},
          {"trouble", trouble},
          {"per_second", maybe(entry.per_second)},
          {"cpu", maybe(entry.cpu_share)},
          {"resident_bytes", figure(entry.now, "rss_bytes")},
          {"blocked", entry.blocked}};
}

Json percentiles_json(const char* name, const Percentiles& percentiles) {
  return {{"name", name},
          {"count", percentiles.count},
          {"p50", maybe_ms(percentiles.p50)},
          {"p90", maybe_ms(percentiles.p90)},
          {"p99", maybe_ms(percentiles.p99)},
          {"p99_9", maybe_ms(percentiles.p99_9)},
          {"longest", maybe_ms(percentiles.longest)}};
}

Json faults_json(const std::vector<FaultView>& faults) {
  Json list = Json::array();
  for (const FaultView& fault : faults) {
    Json item = {{"kind", fault.kind}, {"target", fault.target}, {"started", Json()}, {"ended", Json()}};
    if (fault.started_ns) item["started"] = seconds(*fault.started_ns);
    if (fault.ended_ns) item["ended"] = seconds(*fault.ended_ns);
    list.push_back(std::move(item));
  }
  return list;
}

// Null where the broker tells nothing.
Json broker_json(const BrokerFigures& broker) {
  Json nodes = Json::array();
  for (const BrokerFigures::Node& node : broker.nodes) {
    nodes.push_back({{"name", node.name},
                     {"answers", node.at_ns != 0},
                     {"cpu", maybe(node.cpu_cores)},
                     {"resident_bytes", maybe(node.resident_bytes)},
                     {"memory_bytes", maybe(node.memory_bytes)},
                     {"memory_alarm", maybe(node.memory_alarm)},
                     {"disk_alarm", maybe(node.disk_alarm)},
                     {"connections", maybe(node.connections)},
                     {"in_flow", maybe(node.connections_in_flow)},
                     {"blocked", maybe(node.connections_blocked)}});
  }
  if (nodes.empty() && !broker.ready) return {};
  return {{"nodes", std::move(nodes)}, {"ready", maybe(broker.ready)}, {"unacked", maybe(broker.unacked)}};
}

Json run_json(const RunView& run) {
  Json entries = Json::array(), workers = Json::array();
  for (const EntryView& entry : run.entries) entries.push_back(entry_json(entry));
  for (const WorkerView& worker : run.workers) {
    workers.push_back({{"role", worker.entry},
                       {"name", worker.name},
                       {"received", worker.received},
                       {"done", worker.done},
                       {"busy", seconds(worker.busy_ns)}});
  }
  return {{"experiment", run.identity.experiment},
          {"run_id", run.identity.run_id},
          {"title", run.identity.title},
          {"broker_uri", run.identity.broker},
          {"stage", run.stage},
          {"elapsed", seconds(run.elapsed_ns)},
          {"planned", seconds(run.planned_ns)},
          {"share", run.done_share},
          {"entries", std::move(entries)},
          {"workers", std::move(workers)},
          {"faults", faults_json(run.faults)},
          {"broker", broker_json(run.broker)},
          {"latencies", Json::array({percentiles_json("intended to received", run.latencies.end_to_end),
                                     percentiles_json("intended to work done", run.latencies.done),
                                     percentiles_json("intended to confirmed", run.latencies.confirmed)})}};
}

Json finished_json(const Snapshot& snapshot) {
  Json list = Json::array();
  for (const auto& run : snapshot.finished)
    list.push_back({{"title", run->identity.title},
                    {"verdict", run->verdict.is_object() ? run->verdict.value("status", "") : ""}});
  return list;
}

Json points_json(const Points& points) {
  Json list = Json::array();
  for (const Point& point : points.points) {
    list.push_back({seconds(point.at_ns), point.published_per_s, point.confirmed_per_s, point.received_per_s,
                    point.done_per_s, point.unsettled, point.in_hand, maybe(point.ready),
                    maybe_ms(point.latencies.end_to_end.p50), maybe_ms(point.latencies.end_to_end.p99),
                    maybe_ms(point.latencies.end_to_end.longest), maybe_ms(point.latencies.confirmed.p50),
                    maybe_ms(point.latencies.confirmed.p99), maybe_ms(point.latencies.confirmed.longest)});
  }
  return {{"generation", points.generation}, {"first", points.first}, {"list", std::move(list)}};
}

Json outcome_json(const Outcome& outcome) {
  Json results = Json::array();
  for (const Outcome::Result& result : outcome.results)
    results.push_back({{"experiment", result.experiment},
                       {"verdict", result.verdict},
                       {"reasons", result.reasons},
                       {"file", result.file}});
  return {{"results", std::move(results)}, {"report", outcome.report}, {"failure", outcome.failure}};
}

}  // namespace

std::string page_json(const Snapshot& snapshot, const Points& points) {
  const RunView* shown = snapshot.current            ? &*snapshot.current
                         : snapshot.finished.empty() ? nullptr
                                                     : snapshot.finished.back().get();
  Json json = {{"activity", snapshot.activity},
               {"notices", snapshot.notices},
               {"run", shown != nullptr ? run_json(*shown) : Json()},
               {"finished", finished_json(snapshot)},
               {"points", points_json(points)},
               {"up_to_date", snapshot.up_to_date},
               {"outcome", snapshot.outcome ? outcome_json(*snapshot.outcome) : Json()}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace brokerlab::live
