#include "experiments/queue_probe.h"

#include <algorithm>
#include <utility>

#include "broker/routing.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kAnswerLimit = 2 * kNanosecondsPerSecond;

// The keys under which messages reach the queue; nothing when some are not known beforehand.
std::optional<std::set<std::string>> keys_to(const std::string& queue, const PlannedRun& plan) {
  std::set<std::string> keys;
  if (!plan.other_keys.empty()) return std::nullopt;
  for (const PlannedProcess& process : plan.processes) {
    for (const PlannedRoute& route : process.routes) {
      if (route.delivery == PlannedRoute::Delivery::kUnknown) return std::nullopt;
      if (std::find(route.queues.begin(), route.queues.end(), queue) != route.queues.end())
        keys.insert(route.routing_key);
    }
  }
  return keys;
}

// Where the dead letters of a queue go: none without a dead letter exchange, nothing when it cannot be told.
std::optional<std::vector<std::string>> dead_letter_queues(const Queue& queue, const Topology& topology,
                                                           const PlannedRun& plan) {
  const Json exchange = queue.arguments.value("x-dead-letter-exchange", Json());
  if (!exchange.is_string())
    return queue.predeclared ? std::nullopt : std::optional(std::vector<std::string>());
  const Json key = queue.arguments.value("x-dead-letter-routing-key", Json());
  const auto keys = key.is_string() ? std::optional(std::set<std::string>{key.get<std::string>()})
                                    : keys_to(queue.name, plan);
  if (!keys) return std::nullopt;
  std::set<std::string> queues;
  for (const std::string& each : *keys) {
    const Routes routes = route(topology, exchange.get<std::string>(), each);
    if (!routes.known) return std::nullopt;
    queues.insert(routes.queues.begin(), routes.queues.end());
    for (const auto& set : routes.one_of) queues.insert(set.begin(), set.end());
  }
  return std::vector<std::string>(queues.begin(), queues.end());
}

}  // namespace

QueueProbe::QueueProbe(const PlannedRun& plan, std::vector<std::string> broker_uris,
                       const std::string& prefix, bool tls_insecure)
    : uris_(std::move(broker_uris)), tls_insecure_(tls_insecure) {
  const Topology topology = Topology::from_json(plan.topology).with_prefix(prefix);
  for (const Queue& queue : topology.queues) {
    queues_.push_back(queue);
    dead_letter_queues_[queue.name] = dead_letter_queues(queue, topology, plan);
  }
  for (const PlannedProcess& process : plan.processes) {
    if (process.kind != PlannedProcess::Kind::kRole) continue;
    for (const PlannedInstance& instance : process.instances) consumed_.insert(instance.queue);
  }
}

std::vector<QueueProbe::Depth> QueueProbe::queues() const {
  std::vector<Depth> depths;
  for (const Queue& queue : queues_) {
    depths.push_back({queue, consumed_.contains(queue.name), std::nullopt, std::nullopt,
                      dead_letter_queues_.at(queue.name)});
  }
  return depths;
}

std::vector<QueueProbe::Depth> QueueProbe::look() {
  trouble_.clear();
  std::vector<Depth> depths = queues();
  std::vector<std::string> names;
  std::vector<Depth*> asked;
  for (Depth& depth : depths) {
    // Nobody else may ask about an exclusive queue, and it ends with its consumer: nothing is left in it
    // then.
    if (depth.queue.exclusive && !depth.queue.predeclared) {
      depth.ready = 0;
      continue;
    }
    names.push_back(depth.queue.name);
    asked.push_back(&depth);
  }
  const std::vector<std::optional<amqp::QueueStatus>> statuses = ask(names);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (statuses[i]) {
      asked[i]->ready = statuses[i]->messages;
    } else if (trouble_.empty() && deleted_.contains(names[i])) {
      asked[i]->ready = 0;
    }
  }
  return depths;
}

std::vector<std::optional<amqp::QueueStatus>> QueueProbe::ask(const std::vector<std::string>& names) {
  std::vector<std::optional<amqp::QueueStatus>> statuses(names.size());
  try {
    if (!session_) {
      amqp::TlsOptions tls;
      tls.insecure = tls_insecure_;
      session_ = std::make_unique<amqp::Session>(amqp::Uri::parse(uris_.front()), tls, kAnswerLimit);
    }
    session_->queues(names, statuses);
  } catch (const Error& error) {
    trouble_ = error.summary();
    session_.reset();
    std::rotate(uris_.begin(), uris_.begin() + 1, uris_.end());
  }
  return statuses;
}

bool QueueProbe::any_to_drain() const {
  return std::any_of(consumed_.begin(), consumed_.end(),
                     [this](const std::string& queue) { return !deleted_.contains(queue); });
}

bool empty(const std::vector<QueueProbe::Depth>& depths) {
  return std::all_of(depths.begin(), depths.end(),
                     [](const QueueProbe::Depth& depth) { return !depth.consumed || depth.ready == 0U; });
}

Json to_json(const std::vector<QueueProbe::Depth>& before, const std::vector<QueueProbe::Depth>& after) {
  const auto ready = [](const QueueProbe::Depth& depth) {
    return depth.ready ? Json(*depth.ready) : Json(nullptr);
  };
  Json report = Json::array();
  for (std::size_t i = 0; i < after.size(); ++i) {
    const QueueProbe::Depth& depth = after[i];
    report.push_back(
        {{"name", depth.queue.name},
         {"durable", depth.queue.durable},
         {"arguments", depth.queue.arguments},
         {"consumed", depth.consumed},
         {"ready_at_start", ready(before[i])},
         {"ready_at_end", ready(depth)},
         {"unacked_at_end", depth.unacked ? Json(*depth.unacked) : Json(nullptr)},
         {"dead_letter_queues", depth.dead_letter_queues ? Json(*depth.dead_letter_queues) : Json(nullptr)}});
  }
  return report;
}

}  // namespace brokerlab
