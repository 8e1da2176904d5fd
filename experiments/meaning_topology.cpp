#include <algorithm>

#include "broker/topology.h"
#include "core/error.h"
#include "experiments/meaning.h"

namespace brokerlab {
namespace {

// Types RabbitMQ or one of its plugins is known to bring. Others are left to the broker if they begin with
// "x-".
const std::vector<std::string>& known_exchange_types() {
  static const std::vector<std::string> types{
      "direct",         "fanout",   "topic",          "headers",           "x-consistent-hash",
      "x-modulus-hash", "x-random", "x-local-random", "x-delayed-message", "x-recent-history",
      "x-jms-topic",    "x-rtopic", "x-event"};
  return types;
}

bool has_placeholder(const std::string& name) { return name.find("{i}") != std::string::npos; }

bool is_brokers_own(const std::string& exchange) { return exchange.starts_with("amq."); }

void check_exchange_known(const std::string& name, const JsonPointer& at, const DeclaredNames& names,
                          Findings& findings) {
  if (name.empty() || names.exchange_types.contains(name) || is_brokers_own(name)) return;
  findings.error(at, "exchange \"" + name + "\" is not declared", suggestion(name, names.exchanges));
}

void check_exchanges(const Json& exchanges, const DeclaredNames& names, Findings& findings) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    const JsonPointer at = JsonPointer("/topology/exchanges") / i;
    const std::string name = text_at(exchanges[i], "name");
    const std::string type = text_at(exchanges[i], "type");
    if (!name.empty() && !seen.emplace(name, i).second) {
      findings.error(at / "name", "exchange \"" + name + "\" is declared twice", "remove one");
    }
    const std::vector<std::string>& types = known_exchange_types();
    if (!type.empty() && !type.starts_with("x-") &&
        std::find(types.begin(), types.end(), type) == types.end()) {
      findings.error(at / "type", "unknown exchange type \"" + type + "\"", suggestion(type, types));
    }
    check_exchange_known(text_at(exchanges[i], "alternate_exchange"), at / "alternate_exchange", names,
                         findings);
  }
}

void check_queues(const Json& queues, Findings& findings) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < queues.size(); ++i) {
    const JsonPointer at = JsonPointer("/topology/queues") / i;
    const std::string name = text_at(queues[i], "name");
    const std::int64_t copies = whole_at(queues[i], "copies");
    if (!name.empty() && !seen.emplace(name, i).second) {
      findings.error(at / "name", "queue \"" + name + "\" is declared twice",
                     "remove one, or use \"copies\"");
    }
    if (!name.empty() && copies > 1 && !has_placeholder(name)) {
      findings.error(at / "name", std::to_string(copies) + " copies would all be named \"" + name + "\"",
                     "put {i} into the name, e.g. \"" + name + "-{i}\"");
    }
  }
}

void check_binding_key(const Json& binding, const JsonPointer& at, const DeclaredNames& names,
                       Findings& findings) {
  const auto type = names.exchange_types.find(text_at(binding, "exchange"));
  if (type == names.exchange_types.end() || type->second != "x-consistent-hash") return;
  const std::string key = text_at(binding, "routing_key");
  const bool is_weight = !key.empty() && key.find_first_not_of("0123456789") == std::string::npos &&
                         key.find_first_not_of('0') == 0;
  if (is_weight) return;
  findings.error(at, "\"" + key + "\" is no weight: bindings of x-consistent-hash take a whole number from 1",
                 "\"routing_key\": \"1\"");
}

void check_bindings(const Json& topology, const DeclaredNames& names, Findings& findings) {
  const Json& bindings = list_at(topology, "bindings");
  for (std::size_t i = 0; i < bindings.size(); ++i) {
    const JsonPointer at = JsonPointer("/topology/bindings") / i;
    check_exchange_known(text_at(bindings[i], "exchange"), at / "exchange", names, findings);
    check_exchange_known(text_at(bindings[i], "destination_exchange"), at / "destination_exchange", names,
                         findings);
    check_binding_key(bindings[i], at / "routing_key", names, findings);
    const std::string queue = text_at(bindings[i], "queue");
    // A name with {i} stands for every copy of the queue declared by that name.
    const Json& queues = list_at(topology, "queues");
    const bool declared_so = std::any_of(queues.begin(), queues.end(),
                                         [&](const Json& entry) { return text_at(entry, "name") == queue; });
    if (queue.empty() || declared_so || names.queues.contains(queue)) continue;
    findings.error(at / "queue", "queue \"" + queue + "\" is not declared",
                   suggestion(queue, names.queue_suggestions));
  }
}

}  // namespace

DeclaredNames declared_names(const Json& experiment) {
  DeclaredNames names;
  const Json& topology = member(experiment, "topology");
  for (const Json& exchange : list_at(topology, "exchanges")) {
    names.exchanges.push_back(text_at(exchange, "name"));
    names.exchange_types[names.exchanges.back()] = text_at(exchange, "type");
  }
  for (const char* own : {"direct", "fanout", "topic", "headers"}) {
    names.exchange_types.emplace(std::string("amq.") + own, own);
  }
  const Json& queues = list_at(topology, "queues");
  constexpr std::int64_t kMostSuggestedCopies = 20;
  for (std::size_t i = 0; i < queues.size(); ++i) {
    const std::string name = text_at(queues[i], "name");
    const std::int64_t copies = has_placeholder(name) ? whole_at(queues[i], "copies") : 1;
    for (std::int64_t copy = 0; copy < copies; ++copy) {
      const std::string numbered = with_number(name, whole_at(queues[i], "first") + copy);
      names.queues.emplace(numbered, i);
      if (copy < kMostSuggestedCopies) names.queue_suggestions.push_back(numbered);
    }
  }
  return names;
}

void check_topology(const Json& experiment, const DeclaredNames& names, Findings& findings) {
  const Json& topology = member(experiment, "topology");
  check_exchanges(list_at(topology, "exchanges"), names, findings);
  check_queues(list_at(topology, "queues"), findings);
  check_bindings(topology, names, findings);
  if (!topology.is_object() || !findings.clean(JsonPointer("/topology"))) return;
  try {
    Topology::from_json(topology);
  } catch (const Error& error) {
    const bool is_pointer = error.where().starts_with("/topology");
    findings.error(JsonPointer(is_pointer ? error.where() : "/topology"), error.summary(), error.remedy());
  }
}

}  // namespace brokerlab
