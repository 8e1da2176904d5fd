#include "experiments/broker_watch.h"

#include <algorithm>
#include <utility>

#include "amqp/uri.h"
#include "broker/node_reading.h"
#include "broker/remote_reading.h"
#include "core/units.h"
#include "experiments/node_source.h"
#include "experiments/remote_source.h"

namespace brokerlab {
namespace {

// Each thing that is asked about costs the broker some 20 us (docs/metrics.md): together about 1 % of a core.
// A queue that is only counted among the sums costs a hundredth.
constexpr Nanoseconds kIntervalPerThing = 2'500'000;
constexpr std::int64_t kCountedPerThing = 100;

std::int64_t things_asked(const BrokerSample& sample, std::size_t queues) {
  const auto named = static_cast<std::int64_t>(sample.queues.size());
  const auto counted = sample.ready ? static_cast<std::int64_t>(queues) / kCountedPerThing : 0;
  return named + counted + sample.connections.value_or(0) + sample.channels.value_or(0);
}

// A node of ours answers its first question when its control node has booted, in about a second.
constexpr Nanoseconds kReadyLimit = 10 * kNanosecondsPerSecond;
constexpr Nanoseconds kRemoteLimit = 1 * kNanosecondsPerSecond;
// Of a day-long run: so that its evidence stays some megabytes.
constexpr std::int64_t kMostRounds = 10'000;

// Streams keep their messages: nothing in them is ready, or waits for an acknowledgement.
std::vector<std::string> watched_queues(const PlannedRun& plan, const std::string& prefix) {
  std::vector<std::string> names;
  for (const Queue& queue : Topology::from_json(plan.topology).with_prefix(prefix).queues)
    if (queue.arguments.value("x-queue-type", Json()) != "stream") names.push_back(queue.name);
  return names;
}

RemoteReading::Target target_of(const Lease& lease, const std::vector<std::string>& queues) {
  RemoteReading::Target target;
  target.vhost = amqp::Uri::parse(lease.uri()).vhost;
  target.queues = queues;
  target.own_vhost = lease.kind() == Lease::Kind::kOwnVhost;
  for (const std::string& uri : lease.uris()) {
    const std::string host = amqp::Uri::parse(uri).host;
    if (std::find(target.hosts.begin(), target.hosts.end(), host) == target.hosts.end())
      target.hosts.push_back(host);
  }
  return target;
}

}  // namespace

Nanoseconds BrokerWatch::interval_of(const PlannedRun& plan) {
  const Json& watch = plan.experiment.at("broker").at("watch");
  return std::max(parse_duration(watch.at("interval")), plan.phases.load_ns() / kMostRounds);
}

std::unique_ptr<BrokerWatch> BrokerWatch::make(const PlannedRun& plan, Lease& lease, uv_loop_t* loop,
                                               const Clock& clock) {
  const Json& watch = plan.experiment.at("broker").at("watch");
  const Nanoseconds interval_ns = interval_of(plan);
  std::vector<std::string> queues = watched_queues(plan, lease.prefix());
  std::unique_ptr<BrokerSource> source;
  std::string reason;
  if (!watch.at("enabled").get<bool>()) {
    reason = "broker.watch.enabled is false";
  } else if (PrivateBroker* broker = lease.private_broker()) {
    source = std::make_unique<NodeSource>(*broker, amqp::Uri::parse(lease.uri()).vhost, queues, clock);
  } else {
    std::unique_ptr<Management> management =
        lease.management() ? lease.management()->another(kRemoteLimit) : nullptr;
    source = std::make_unique<RemoteSource>(
        std::make_unique<RemoteReading>(std::move(management), target_of(lease, queues), clock), loop, clock);
  }
  return std::make_unique<BrokerWatch>(std::move(source), std::move(reason), interval_ns, std::move(queues),
                                       clock);
}

BrokerWatch::BrokerWatch(std::unique_ptr<BrokerSource> source, std::string reason, Nanoseconds interval_ns,
                         std::vector<std::string> queues, const Clock& clock)
    : source_(std::move(source)),
      reason_(std::move(reason)),
      interval_ns_(interval_ns),
      queues_(std::move(queues)),
      began_ns_(clock.now()) {}

void BrokerWatch::tick(Nanoseconds now) {
  if (!source_) return;
  for (const BrokerSample& sample : source_->take()) note(sample);
  if (now < next_ns_) return;
  source_->ask(round_++);
  const Nanoseconds interval_ns = std::max(interval_ns_, least_interval_ns_);
  longest_interval_ns_ = std::max(longest_interval_ns_, interval_ns);
  // On a grid, whatever the loop's delays: else intervals of the series would come to have no sample.
  next_ns_ = next_ns_ + interval_ns > now ? next_ns_ + interval_ns : now + interval_ns;
}

bool BrokerWatch::ready(Nanoseconds now) const {
  return !source_ || (round_ > 0 && !source_->waiting()) || now - began_ns_ > kReadyLimit;
}

BrokerFigures::Node& BrokerWatch::node_named(const std::string& name) {
  const auto found = std::find_if(figures_.nodes.begin(), figures_.nodes.end(),
                                  [&](const BrokerFigures::Node& node) { return node.name == name; });
  if (found != figures_.nodes.end()) return *found;
  figures_.nodes.emplace_back().name = name;
  return figures_.nodes.back();
}

void BrokerWatch::note(const BrokerSample& sample) {
  samples_.push_back(sample.to_json());
  if (sample.failed.empty() && sample.source == "node")
    least_interval_ns_ = things_asked(sample, queues_.size()) * kIntervalPerThing;
  if (!sample.node.empty()) note_node(sample);
  note_queues(sample);
}

void BrokerWatch::note_node(const BrokerSample& sample) {
  BrokerFigures::Node& node = node_named(sample.node);
  if (!sample.failed.empty()) {
    if (sample.source == "process") usage_.erase(sample.node);
    node = BrokerFigures::Node();
    node.name = sample.node;
    return;
  }
  node.at_ns = sample.at_ns;
  const auto take = [](auto& figure, const auto& value) {
    if (value) figure = value;
  };
  take(node.resident_bytes, sample.resident_bytes);
  take(node.memory_bytes, sample.memory_bytes);
  take(node.memory_alarm, sample.memory_alarm);
  take(node.disk_alarm, sample.disk_alarm);
  take(node.connections, sample.connections);
  take(node.connections_in_flow, sample.connections_in_flow);
  take(node.connections_blocked, sample.connections_blocked);
  take(node.channels, sample.channels);
  take(node.channels_in_flow, sample.channels_in_flow);
  if (!sample.cpu_ns) return;
  const Usage now{sample.pid.value_or(0), *sample.cpu_ns, sample.at_ns};
  const auto before = usage_.find(sample.node);
  node.cpu_cores.reset();
  if (before != usage_.end() && before->second.pid == now.pid && now.at_ns > before->second.at_ns &&
      now.cpu_ns >= before->second.cpu_ns) {
    node.cpu_cores = static_cast<double>(now.cpu_ns - before->second.cpu_ns) /
                     static_cast<double>(now.at_ns - before->second.at_ns);
  }
  usage_[sample.node] = now;
}

// The queues of a round are told by the nodes that hold them, one sample each. Of a round in which somebody
// did not answer there is no sum.
void BrokerWatch::note_queues(const BrokerSample& sample) {
  if (sample.source == "process" || sample.source == "prometheus") return;
  if (sample.round > depths_.round) {
    const bool complete = depths_.queues.size() == queues_.size() || depths_.sums;
    if (!complete) figures_.ready = figures_.unacked = std::nullopt;
    if (!complete) figures_.queues.clear();
    depths_ = Depths();
    depths_.round = sample.round;
  }
  if (sample.ready && sample.unacked) {
    BrokerFigures::Queue& sums = depths_.sums ? *depths_.sums : depths_.sums.emplace();
    sums.ready += *sample.ready;
    sums.unacked += *sample.unacked;
    figures_.ready = sums.ready;
    figures_.unacked = sums.unacked;
  }
  for (const BrokerSample::Queue& queue : sample.queues) {
    if (queue.index < queues_.size())
      depths_.queues[queue.index] = {queues_[queue.index], queue.ready, queue.unacked};
  }
  if (depths_.queues.empty() && !depths_.sums) return;
  figures_.queues_at_ns = sample.at_ns;
  figures_.queues_lag_ns = sample.lag_ns;
  if (depths_.sums || depths_.queues.size() < queues_.size()) return;
  figures_.queues.clear();
  figures_.ready = figures_.unacked = 0;
  for (const auto& [index, queue] : depths_.queues) {
    *figures_.ready += queue.ready;
    *figures_.unacked += queue.unacked;
    figures_.queues.push_back(queue);
  }
}

void BrokerWatch::look_for_unacked(std::vector<QueueProbe::Depth>& depths) {
  if (!source_) return;
  for (const BrokerSample& sample : source_->last_look()) {
    for (const BrokerSample::Queue& told : sample.queues) {
      for (QueueProbe::Depth& depth : depths) {
        if (depth.queue.name == queues_.at(told.index)) depth.unacked = told.unacked;
      }
    }
  }
}

Json BrokerWatch::evidence() const {
  Json absent = Json::array();
  if (!source_) {
    absent.push_back({{"figures", "all"}, {"reason", reason_}});
  } else {
    for (const auto& [figures, reason] : source_->given_up())
      absent.push_back({{"figures", figures}, {"reason", reason}});
  }
  return {{"interval_ns", std::max(interval_ns_, longest_interval_ns_)},
          {"queues", queues_.size() <= RemoteReading::kMostQueues ? Json(queues_) : Json::array()},
          {"queue_count", queues_.size()},
          {"samples", samples_},
          {"absent", std::move(absent)}};
}

}  // namespace brokerlab
