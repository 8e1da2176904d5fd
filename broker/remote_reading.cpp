#include "broker/remote_reading.h"

#include <httplib.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "broker/prometheus_text.h"
#include "core/error.h"
#include "core/json_fields.h"

namespace brokerlab {
namespace {

constexpr int kPrometheusPort = 15692;
constexpr int kAnswerLimitS = 1;
constexpr double kNanosecondsPerMillisecond = 1e6;

std::optional<bool> truth(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

std::optional<std::int64_t> whole(std::optional<double> value) {
  return value ? std::optional<std::int64_t>(std::llround(*value)) : std::nullopt;
}

// How many of them are in a state, by node; nothing where the page does not hold them all.
std::optional<std::int64_t> count(const Json& page, const std::string& node, const char* state) {
  const Json& items = page.at("items");
  if (page.value("total_count", std::size_t{0}) > items.size()) return std::nullopt;
  return std::count_if(items.begin(), items.end(), [&](const Json& item) {
    return item.value("node", "") == node && (state == nullptr || item.value("state", "") == state);
  });
}

}  // namespace

RemoteReading::RemoteReading(std::unique_ptr<Management> management, Target target, const Clock& clock)
    : management_(std::move(management)), target_(std::move(target)), clock_(clock) {
  if (management_) return;
  for (const char* figures : {"queues", "nodes"})
    given_up_[figures] = "the management API cannot be reached or used";
}

BrokerSample RemoteReading::queues_from(const Json& answer, const std::vector<std::string>& names) {
  BrokerSample sample;
  if (answer.is_object()) {  // of a vhost
    sample.ready = known_number(answer, "messages_ready");
    sample.unacked = known_number(answer, "messages_unacknowledged");
    return sample;
  }
  for (const Json& queue : answer) {
    const auto found = std::find(names.begin(), names.end(), queue.value("name", ""));
    const auto ready = known_number(queue, "messages_ready"),
               unacked = known_number(queue, "messages_unacknowledged");
    // The figures are missing until the statistics of a new queue have come in.
    if (found != names.end() && ready && unacked)
      sample.queues.push_back({static_cast<std::size_t>(found - names.begin()), *ready, *unacked});
  }
  return sample;
}

std::vector<BrokerSample> RemoteReading::nodes_from(const Json& answer) {
  std::vector<BrokerSample> samples;
  for (const Json& node : answer) {
    BrokerSample sample;
    sample.node = node.value("name", "");
    if (!node.value("running", true)) sample.failed = "the node is not running";
    if (sample.failed.empty()) {
      sample.cores = known_number(node, "processors");
      sample.memory_bytes = known_number(node, "mem_used");
      sample.memory_limit_bytes = known_number(node, "mem_limit");
      sample.memory_alarm = truth(node, "mem_alarm");
      sample.disk_alarm = truth(node, "disk_free_alarm");
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

void RemoteReading::add_states(const Json& connections, const Json& channels,
                               std::vector<BrokerSample>& nodes) {
  for (BrokerSample& sample : nodes) {
    if (!sample.failed.empty()) continue;
    sample.connections = count(connections, sample.node, nullptr);
    sample.connections_in_flow = count(connections, sample.node, "flow");
    sample.connections_blocked = count(connections, sample.node, "blocked");
    sample.channels = count(channels, sample.node, nullptr);
    sample.channels_in_flow = count(channels, sample.node, "flow");
    sample.flow_lag_ns = 2 * kLag;  // the state is held for as long as it may be old
  }
}

BrokerSample RemoteReading::process_from(const std::string& metrics) {
  const PrometheusText text = PrometheusText::parse(metrics);
  BrokerSample sample;
  sample.node = text.label("rabbitmq_identity_info", "rabbitmq_node");
  if (const auto ms = text.value("erlang_vm_statistics_runtime_milliseconds"))
    sample.cpu_ns = static_cast<Nanoseconds>(*ms * kNanosecondsPerMillisecond);
  sample.resident_bytes = whole(text.value("rabbitmq_process_resident_memory_bytes"));
  sample.cores = whole(text.value("erlang_vm_schedulers_online"));
  if (!sample.cpu_ns && !sample.resident_bytes)
    throw Error("what answers at the port of the Prometheus plugin is no RabbitMQ", "", "");
  return sample;
}

BrokerSample RemoteReading::queues() {
  if (target_.queues.size() <= kMostQueues)
    return queues_from(management_->queue_totals(target_.vhost), target_.queues);
  if (!target_.own_vhost)
    throw Error("with more than " + std::to_string(kMostQueues) +
                    " queues only the sums of a vhost are asked "
                    "for, and this vhost is not the run's own",
                target_.vhost, "");
  return queues_from(management_->vhost_totals(target_.vhost), {});
}

std::vector<BrokerSample> RemoteReading::nodes() {
  std::vector<BrokerSample> samples = nodes_from(management_->node_states());
  add_states(management_->states_of("connections", kMostStates),
             management_->states_of("channels", kMostStates), samples);
  return samples;
}

BrokerSample RemoteReading::process(const std::string& host) {
  httplib::Client client(host, kPrometheusPort);
  client.set_connection_timeout(kAnswerLimitS);
  client.set_read_timeout(kAnswerLimitS);
  const httplib::Result answer = client.Get("/metrics");
  if (!answer || answer->status != 200) {
    throw Error("no Prometheus plugin at " + host + ":" + std::to_string(kPrometheusPort), "",
                "rabbitmq-plugins enable rabbitmq_prometheus");
  }
  return process_from(answer->body);
}

void RemoteReading::hear(const Question& question, std::int64_t round,
                         const std::function<std::vector<BrokerSample>()>& read,
                         std::vector<BrokerSample>& samples) {
  if (given_up_.contains(question.figures)) return;
  const Nanoseconds asked_ns = clock_.now();
  std::vector<BrokerSample> heard;
  try {
    heard = read();
    heard_of_.insert(question.figures);
  } catch (const std::exception& error) {  // the API's own, and of an answer that is not as it should be
    const auto* ours = dynamic_cast<const Error*>(&error);
    const std::string why = ours != nullptr ? ours->summary() : error.what();
    if (!heard_of_.contains(question.figures)) {
      given_up_[question.figures] = why;
      return;
    }
    heard.emplace_back().failed = why;
  }
  for (BrokerSample& sample : heard) {
    sample.round = round;
    sample.source = question.source;
    sample.at_ns = asked_ns;
    sample.within_ns = clock_.now() - asked_ns;
    sample.lag_ns = question.lag_ns;
    samples.push_back(std::move(sample));
  }
}

std::vector<BrokerSample> RemoteReading::read(std::int64_t round) {
  std::vector<BrokerSample> samples;
  hear(
      {"queues", "management", kLag}, round, [this] { return std::vector{queues()}; }, samples);
  hear(
      {"nodes", "management", kLag}, round, [this] { return nodes(); }, samples);
  for (const std::string& host : target_.hosts) {
    hear(
        {"cpu of " + host, "prometheus", 0}, round, [&] { return std::vector{process(host)}; }, samples);
  }
  return samples;
}

}  // namespace brokerlab
