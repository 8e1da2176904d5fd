#include "experiments/name_prefix.h"

#include <utility>

#include "broker/topology.h"
#include "experiments/fault_kind.h"

namespace brokerlab {
namespace {

class Prefixer {
 public:
  Prefixer(const Json& topology, const std::string& prefix)
      : topology_(Topology::from_json(topology)), prefix_(prefix) {}

  std::string queue(const std::string& name) const {
    const Queue* found = topology_.queue(name);
    return found != nullptr && !found->predeclared ? prefix_ + name : name;
  }
  std::string exchange(const std::string& name) const {
    const Exchange* found = topology_.exchange(name);
    return found != nullptr && !found->predeclared ? prefix_ + name : name;
  }

  // On the default exchange the routing key is the name of a queue.
  void destination(Json& publish) const {
    const std::string to = publish.value("exchange", "");
    if (!to.empty()) {
      publish["exchange"] = exchange(to);
      return;
    }
    if (publish.contains("keys")) {
      for (Json& key : publish["keys"]) key = queue(key.get<std::string>());
    }
    if (!publish.contains("routing_key")) return;
    Json& key = publish["routing_key"];
    if (key.is_string()) {
      key = queue(key.get<std::string>());
    } else if (key.contains("template")) {
      key["template"] = prefix_ + key["template"].get<std::string>();
    } else if (key.contains("random")) {
      return;  // no key that was made up is the name of a queue
    } else if (key.contains("body")) {
      if (!key["body"].contains("map")) return;
      for (Json& name : key["body"]["map"]) name = queue(name.get<std::string>());
    } else {
      for (auto& [kind, names] : key.items()) {
        for (Json& name : names) name = queue(name.get<std::string>());
      }
    }
  }

  void route(PlannedRoute& route) const {
    if (route.exchange.empty()) route.routing_key = queue(route.routing_key);
    route.exchange = exchange(route.exchange);
    for (std::string& name : route.queues) name = queue(name);
  }

 private:
  Topology topology_;
  const std::string& prefix_;
};

}  // namespace

PlannedRun with_prefix(PlannedRun run, const std::string& prefix) {
  if (prefix.empty()) return run;
  const Prefixer names(run.topology, prefix);
  for (Json& load : run.experiment["load"]) names.destination(load["publish"]);
  if (run.experiment.contains("churn")) {
    for (Json& churn : run.experiment["churn"]) {
      churn["name_prefix"] = prefix;
      if (churn.contains("queue")) churn["queue"] = names.queue(churn["queue"].get<std::string>());
      if (churn.contains("exchange"))
        churn["exchange"] = names.exchange(churn["exchange"].get<std::string>());
    }
  }
  for (Json& role : run.experiment["roles"]) {
    if (role.contains("publish")) names.destination(role["publish"]);
    if (!role.contains("outputs")) continue;
    for (auto& [name, output] : role["outputs"].items()) names.destination(output);
  }
  for (PlannedProcess& process : run.processes) {
    for (PlannedInstance& instance : process.instances) instance.queue = names.queue(instance.queue);
    for (PlannedRoute& route : process.routes) names.route(route);
    for (std::string& queue : process.queues) queue = names.queue(queue);
  }
  for (PlannedRoute& route : run.other_keys) names.route(route);
  for (PlannedFault& fault : run.faults) {
    const FaultKind* kind = fault_kind(fault.kind);
    if (kind != nullptr && (kind->targets & FaultKind::kQueue) != 0) fault.target = names.queue(fault.target);
  }
  return run;
}

}  // namespace brokerlab
