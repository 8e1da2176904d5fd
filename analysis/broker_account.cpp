#include "analysis/broker_account.h"

#include <algorithm>
#include <array>

#include "analysis/broker_series.h"
#include "core/json_fields.h"

namespace brokerlab {
namespace {

constexpr std::size_t kMostQueuesListed = 10;
constexpr std::array kGauges = {"resident_bytes",      "memory_bytes", "memory_alarm",
                                "disk_alarm",          "connections",  "connections_in_flow",
                                "connections_blocked", "channels",     "channels_in_flow"};

std::optional<double> number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return std::nullopt;
  if (found->is_boolean()) return found->get<bool>() ? 1.0 : 0.0;
  return found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::optional<double> largest(const BrokerAccount::Node& node, const char* figure) {
  const auto found = node.values.find(figure);
  if (found == node.values.end() || found->second.empty()) return std::nullopt;
  double most = 0;
  for (const auto& value : found->second) most = std::max(most, value.value);
  return most;
}

}  // namespace

std::optional<double> BrokerAccount::Node::cpu_cores(Nanoseconds from_ns, Nanoseconds to_ns) const {
  Nanoseconds used = 0, time = 0;
  for (const CpuSpan& span : cpu) {
    const Nanoseconds middle = span.from_ns + (span.to_ns - span.from_ns) / 2;
    if (middle < from_ns || middle >= to_ns) continue;
    used += span.cpu_ns;
    time += span.to_ns - span.from_ns;
  }
  if (time == 0) return std::nullopt;
  return static_cast<double>(used) / static_cast<double>(time);
}

BrokerAccount::BrokerAccount(const RunEvidence& evidence)
    : t0_(evidence.t0_ns), load_end_(evidence.load_end_ns.value_or(evidence.t0_ns)) {
  const Json& broker = evidence.broker;
  if (!broker.is_object()) return;
  interval_ns_ = known_number(broker, "interval_ns").value_or(0);
  const Json queues = broker.value("queues", Json::array());
  for (const Json& name : queues) queue_names_.push_back(name.is_string() ? name.get<std::string>() : "");
  queue_count_ = static_cast<std::size_t>(known_number(broker, "queue_count").value_or(0));
  if (const Json absent = broker.value("absent", Json::array()); absent.is_array()) absent_ = absent;
  const Json samples = broker.value("samples", Json::array());
  for (const Json& sample : samples)
    if (sample.is_object()) read(sample);
  finish_depths();
}

BrokerAccount::Node& BrokerAccount::node_named(const std::string& name) {
  const auto found =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.name == name; });
  if (found != nodes_.end()) return *found;
  nodes_.emplace_back().name = name;
  return nodes_.back();
}

void BrokerAccount::read(const Json& sample) {
  ++samples_;
  const std::string source = known_text(sample, "source");
  if (std::find(sources_.begin(), sources_.end(), source) == sources_.end()) sources_.push_back(source);
  on_this_host_ = on_this_host_ || source == "process";
  gaps_ += !known_text(sample, "failed").empty();
  if (!known_text(sample, "node").empty()) read_node(sample);
  if (source != "process" && source != "prometheus") read_queues(sample);
}

void BrokerAccount::read_node(const Json& sample) {
  Node& node = node_named(known_text(sample, "node"));
  if (!known_text(sample, "failed").empty()) {
    if (known_text(sample, "source") == "process") usage_.erase(node.name);
    return;
  }
  if (const auto cores = known_number(sample, "cores")) node.cores = cores;
  if (const auto limit = known_number(sample, "memory_limit_bytes")) node.memory_limit_bytes = limit;
  flow_lag_ns_ = std::max(flow_lag_ns_, known_number(sample, "flow_lag_ns").value_or(0));
  for (const char* figure : kGauges) {
    if (const auto value = number(sample, figure))
      node.values[figure].push_back({known_number(sample, "at_ns").value_or(0), *value});
  }
  read_cpu(sample, node);
}

// CPU is counted since the process began: between two samples of the same process lies what it used.
void BrokerAccount::read_cpu(const Json& sample, Node& node) {
  const auto cpu_ns = known_number(sample, "cpu_ns");
  if (!cpu_ns) return;
  const Usage now{known_number(sample, "pid").value_or(0), known_number(sample, "at_ns").value_or(0),
                  *cpu_ns};
  const auto before = usage_.find(node.name);
  if (before != usage_.end() && before->second.pid == now.pid && now.at_ns > before->second.at_ns &&
      now.cpu_ns >= before->second.cpu_ns) {
    node.cpu.push_back({before->second.at_ns, now.at_ns, now.cpu_ns - before->second.cpu_ns});
  }
  usage_[node.name] = now;
}

void BrokerAccount::read_queues(const Json& sample) {
  Round& round = rounds_[known_number(sample, "round").value_or(0)];
  const Nanoseconds at_ns = known_number(sample, "at_ns").value_or(0);
  const Nanoseconds until_ns = at_ns + known_number(sample, "within_ns").value_or(0);
  const Json queues = sample.value("queues", Json::array());
  const auto ready = known_number(sample, "ready"), unacked = known_number(sample, "unacked");
  if (!known_text(sample, "failed").empty()) {
    if (round.at_ns == 0) round.at_ns = at_ns;
    round.until_ns = std::max(round.until_ns, until_ns);
    round.failed = true;
    return;
  }
  if (queues.empty() && !ready) return;  // of nodes and connections only, or none of the queues is there
  round.at_ns = round.at_ns == 0 ? at_ns : std::min(round.at_ns, at_ns);
  round.until_ns = std::max(round.until_ns, until_ns);
  round.lag_ns = std::max(round.lag_ns, known_number(sample, "lag_ns").value_or(0));
  if (ready && unacked) {
    round.ready += *ready;
    round.unacked += *unacked;
    ++round.sums;
  }
  for (const Json& queue : queues) {
    const bool numbers = queue.is_array() && queue.size() == 3 &&
                         std::all_of(queue.begin(), queue.end(),
                                     [](const Json& n) { return n.is_number_integer() && n >= 0; });
    if (numbers)
      round.queues[queue[0].get<std::size_t>()] = {queue[1].get<std::int64_t>(),
                                                   queue[2].get<std::int64_t>()};
  }
}

void BrokerAccount::finish_depths() {
  for (const auto& [number, round] : rounds_) {
    if (round.at_ns == 0) continue;
    Depth depth{.at_ns = round.at_ns,
                .until_ns = round.until_ns,
                .lag_ns = round.lag_ns,
                .ready = {},
                .unacked = {},
                .queues = {round.queues.begin(), round.queues.end()}};
    if (round.sums > 0 && !round.failed) {
      depth.ready = round.ready;
      depth.unacked = round.unacked;
    } else if (queue_count_ > 0 && round.queues.size() == queue_count_) {
      depth.ready = depth.unacked = 0;
      for (const auto& [index, figures] : round.queues) {
        *depth.ready += figures.first;
        *depth.unacked += figures.second;
      }
    }
    depths_.push_back(std::move(depth));
  }
  rounds_.clear();
}

std::optional<double> BrokerAccount::share(std::initializer_list<const char*> figures, Nanoseconds from_ns,
                                           Nanoseconds to_ns) const {
  std::map<Nanoseconds, bool> samples;
  for (const Node& node : nodes_) {
    for (const char* figure : figures) {
      const auto found = node.values.find(figure);
      if (found == node.values.end()) continue;
      for (const Value& value : found->second)
        if (value.at_ns >= from_ns && value.at_ns < to_ns) samples[value.at_ns] |= value.value > 0;
    }
  }
  if (samples.empty()) return std::nullopt;
  const auto with =
      std::count_if(samples.begin(), samples.end(), [](const auto& each) { return each.second; });
  return static_cast<double>(with) / static_cast<double>(samples.size());
}

Json BrokerAccount::nodes_json() const {
  Json list = Json::array();
  for (const Node& node : nodes_) {
    Json json = {{"name", node.name}};
    if (node.cores) json["cores"] = *node.cores;
    if (const auto cores = node.cpu_cores(t0_, load_end_)) json["cpu_cores"] = *cores;
    double most = -1;
    for (const CpuSpan& span : node.cpu)
      if (span.from_ns >= t0_) most = std::max(most, span.cores());
    if (most >= 0) json["cpu_cores_max"] = most;
    if (const auto bytes = largest(node, "resident_bytes")) json["resident_bytes_max"] = std::int64_t(*bytes);
    if (const auto bytes = largest(node, "memory_bytes")) json["memory_bytes_max"] = std::int64_t(*bytes);
    if (node.memory_limit_bytes) json["memory_limit_bytes"] = *node.memory_limit_bytes;
    list.push_back(std::move(json));
  }
  return list;
}

// The deepest ones, by how much was in them at most.
Json BrokerAccount::queues_json() const {
  struct Most {
    std::int64_t depth = 0, ready = 0, unacked = 0;
  };
  std::map<std::size_t, Most> most;
  for (const Depth& depth : depths_) {
    for (const auto& [index, figures] : depth.queues) {
      Most& each = most[index];
      each.depth = std::max(each.depth, figures.first + figures.second);
      each.ready = std::max(each.ready, figures.first);
      each.unacked = std::max(each.unacked, figures.second);
    }
  }
  std::vector<std::pair<std::size_t, Most>> worst(most.begin(), most.end());
  std::stable_sort(worst.begin(), worst.end(),
                   [](const auto& a, const auto& b) { return a.second.depth > b.second.depth; });
  Json list = Json::array();
  for (const auto& [index, figures] : worst) {
    if (list.size() == kMostQueuesListed || index >= queue_names_.size()) break;
    list.push_back({{"name", queue_names_[index]},
                    {"depth_max", figures.depth},
                    {"ready_max", figures.ready},
                    {"unacked_max", figures.unacked}});
  }
  return list;
}

Json BrokerAccount::to_json() const {
  Json json = {{"interval_ns", interval_ns_}, {"samples", samples_}, {"gaps", gaps_}, {"sources", sources_}};
  if (!nodes_.empty()) json["nodes"] = nodes_json();
  std::optional<std::int64_t> most;
  Nanoseconds lag_ns = 0;
  for (const Depth& depth : depths_) {
    lag_ns = std::max(lag_ns, depth.lag_ns);
    if (depth.ready && depth.unacked) most = std::max(most.value_or(0), *depth.ready + *depth.unacked);
  }
  if (most) json["depth_max"] = *most;
  if (!depths_.empty()) json["depth_lag_ns"] = lag_ns;
  if (flow_lag_ns_ > 0) json["flow_lag_ns"] = flow_lag_ns_;
  if (Json queues = queues_json(); !queues.empty()) json["queues"] = std::move(queues);
  const auto share_of = [&](const char* name, std::initializer_list<const char*> figures) {
    if (const auto value = share(figures, t0_, load_end_)) json[name] = *value;
  };
  share_of("alarm_share", {"memory_alarm", "disk_alarm"});
  share_of("flow_share", {"connections_in_flow", "channels_in_flow"});
  share_of("blocked_share", {"connections_blocked"});
  if (!absent_.empty()) json["absent"] = absent_;
  return json;
}

Json BrokerAccount::series_json(Nanoseconds interval, Nanoseconds span) const {
  return broker_series(*this, {t0_, interval, span, interval_ns_, queue_names_});
}

}  // namespace brokerlab
