#include "experiments/assigned_topology.h"

#include <set>
#include <utility>

namespace brokerlab {
namespace {

Json none() { return {{"exchanges", Json::array()}, {"queues", Json::array()}, {"bindings", Json::array()}}; }

Json assigned(const Exchange& exchange) {
  Json arguments = exchange.arguments;
  if (!exchange.alternate_exchange.empty()) arguments["alternate-exchange"] = exchange.alternate_exchange;
  return {{"name", exchange.name},         {"type", exchange.type},
          {"durable", exchange.durable},   {"auto_delete", exchange.auto_delete},
          {"internal", exchange.internal}, {"arguments", std::move(arguments)}};
}

Json assigned(const Queue& queue) {
  return {{"name", queue.name},
          {"durable", queue.durable},
          {"exclusive", queue.exclusive},
          {"auto_delete", queue.auto_delete},
          {"arguments", queue.arguments}};
}

Json assigned(const Binding& binding) {
  const bool to_queue = binding.destination_kind == Binding::Destination::kQueue;
  return {{"exchange", binding.exchange},
          {to_queue ? "queue" : "destination_exchange", binding.destination},
          {"routing_key", binding.routing_key},
          {"arguments", binding.arguments}};
}

bool binds(const Binding& binding, const std::set<std::string>& queues) {
  return binding.destination_kind == Binding::Destination::kQueue && queues.contains(binding.destination);
}

}  // namespace

Json assigned_topology(const Topology& topology) {
  Json json = none();
  std::set<std::string> exclusive;
  for (const Exchange& exchange : topology.exchanges) {
    if (!exchange.predeclared) json["exchanges"].push_back(assigned(exchange));
  }
  for (const Queue& queue : topology.queues) {
    if (queue.exclusive) exclusive.insert(queue.name);
    if (!queue.predeclared && !queue.exclusive) json["queues"].push_back(assigned(queue));
  }
  for (const Binding& binding : topology.bindings) {
    if (!binds(binding, exclusive)) json["bindings"].push_back(assigned(binding));
  }
  return json;
}

Json own_topology(const Topology& topology, const PlannedProcess& process) {
  std::set<std::string> consumed;
  for (const PlannedInstance& instance : process.instances) consumed.insert(instance.queue);
  Json json = none();
  std::set<std::string> own;
  for (const Queue& queue : topology.queues) {
    if (!queue.exclusive || queue.predeclared || !consumed.contains(queue.name)) continue;
    own.insert(queue.name);
    json["queues"].push_back(assigned(queue));
  }
  if (own.empty()) return nullptr;
  for (const Binding& binding : topology.bindings) {
    if (binds(binding, own)) json["bindings"].push_back(assigned(binding));
  }
  return json;
}

}  // namespace brokerlab
