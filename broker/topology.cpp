#include "broker/topology.h"

#include <algorithm>
#include <set>

#include "amqp/session.h"
#include "core/error.h"

namespace brokerlab {
namespace {

bool is_builtin_exchange(const std::string& name) { return name.empty() || name.starts_with("amq."); }

[[noreturn]] void refuse(const std::string& pointer, const std::string& what, const std::string& remedy) {
  throw Error(what, pointer, remedy, ExitStatus::kUsage);
}

std::string nearest_remedy(const std::string& name, const std::vector<std::string>& known) {
  const std::string near = nearest_word(name, known);
  return near.empty() ? "declare it in the topology" : "did you mean \"" + near + "\"?";
}

std::string with_number(const std::string& text, std::int64_t number) {
  std::string result = text;
  for (std::size_t at; (at = result.find("{i}")) != std::string::npos;) {
    result.replace(at, 3, std::to_string(number));
  }
  return result;
}

Exchange exchange_from(const Json& json) {
  Exchange exchange;
  exchange.name = json.at("name");
  exchange.type = json.at("type");
  exchange.durable = json.value("durable", false);
  exchange.auto_delete = json.value("auto_delete", false);
  exchange.internal = json.value("internal", false);
  exchange.alternate_exchange = json.value("alternate_exchange", "");
  exchange.arguments = json.value("arguments", Json::object());
  exchange.predeclared = json.value("predeclared", false);
  return exchange;
}

Queue queue_from(const Json& json) {
  Queue queue;
  queue.name = json.at("name");
  queue.durable = json.value("durable", false);
  queue.exclusive = json.value("exclusive", false);
  queue.auto_delete = json.value("auto_delete", false);
  queue.arguments = json.value("arguments", Json::object());
  queue.predeclared = json.value("predeclared", false);
  return queue;
}

Binding binding_from(const Json& json) {
  Binding binding;
  binding.exchange = json.at("exchange");
  const bool to_exchange = json.contains("destination_exchange");
  binding.destination_kind = to_exchange ? Binding::Destination::kExchange : Binding::Destination::kQueue;
  binding.destination = json.at(to_exchange ? "destination_exchange" : "queue");
  binding.routing_key = json.value("routing_key", "");
  binding.arguments = json.value("arguments", Json::object());
  return binding;
}

std::vector<std::string> exchange_names(const Topology& topology) {
  std::vector<std::string> names;
  for (const Exchange& exchange : topology.exchanges) names.push_back(exchange.name);
  return names;
}

std::vector<std::string> queue_names(const Topology& topology) {
  std::vector<std::string> names;
  for (const Queue& queue : topology.queues) names.push_back(queue.name);
  return names;
}

void read_exchanges(const Json& list, const std::string& pointer, Topology& topology) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < list.size(); ++i) {
    topology.exchanges.push_back(exchange_from(list[i]));
    const std::string& name = topology.exchanges.back().name;
    if (!names.insert(name).second) {
      refuse(pointer + "/exchanges/" + std::to_string(i) + "/name",
             "exchange \"" + name + "\" is declared twice", "give each exchange a name of its own");
    }
  }
}

// How many queues each declared name with "{i}" stands for.
using Copies = std::vector<std::pair<std::string, std::int64_t>>;

Copies read_queues(const Json& list, const std::string& pointer, Topology& topology) {
  std::set<std::string> names;
  Copies copies;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Queue declared = queue_from(list[i]);
    const std::int64_t count = list[i].value("copies", std::int64_t{1});
    const std::string where = pointer + "/queues/" + std::to_string(i) + "/name";
    const bool numbered = declared.name.find("{i}") != std::string::npos;
    if (count > 1 && !numbered) {
      refuse(where, "queue \"" + declared.name + "\" has copies but no {i} in its name",
             "write {i} into the name");
    }
    if (numbered) copies.emplace_back(declared.name, count);
    for (std::int64_t copy = 0; copy < count; ++copy) {
      Queue queue = declared;
      queue.name = with_number(declared.name, copy);
      if (!names.insert(queue.name).second) {
        refuse(where, "queue \"" + queue.name + "\" is declared twice", "give each queue a name of its own");
      }
      topology.queues.push_back(std::move(queue));
    }
  }
  return copies;
}

void check_binding(const Binding& binding, const Topology& topology, const std::string& where) {
  if (binding.exchange.empty()) {
    refuse(where + "/exchange", "nothing can be bound to the default exchange",
           "publish to it with the queue's name as routing key");
  }
  const auto check_exchange = [&](const std::string& name, const char* key) {
    if (is_builtin_exchange(name) || topology.exchange(name) != nullptr) return;
    refuse(where + "/" + key, "exchange \"" + name + "\" is not declared",
           nearest_remedy(name, exchange_names(topology)));
  };
  check_exchange(binding.exchange, "exchange");
  if (binding.destination_kind == Binding::Destination::kExchange) {
    check_exchange(binding.destination, "destination_exchange");
  } else if (topology.queue(binding.destination) == nullptr) {
    refuse(where + "/queue", "queue \"" + binding.destination + "\" is not declared",
           nearest_remedy(binding.destination, queue_names(topology)));
  }
}

void read_bindings(const Json& list, const std::string& pointer, const Copies& copies, Topology& topology) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Binding declared = binding_from(list[i]);
    const auto numbered = std::find_if(
        copies.begin(), copies.end(), [&](const auto& entry) { return entry.first == declared.destination; });
    const std::int64_t count = numbered == copies.end() ? 1 : numbered->second;
    for (std::int64_t copy = 0; copy < count; ++copy) {
      Binding binding = declared;
      if (numbered != copies.end()) {
        binding.destination = with_number(declared.destination, copy);
        binding.routing_key = with_number(declared.routing_key, copy);
      }
      check_binding(binding, topology, pointer + "/bindings/" + std::to_string(i));
      topology.bindings.push_back(std::move(binding));
    }
  }
}

amqp::ExchangeDeclaration declaration_of(const Exchange& exchange) {
  amqp::ExchangeDeclaration declaration;
  declaration.name = exchange.name;
  declaration.type = exchange.type;
  declaration.durable = exchange.durable;
  declaration.auto_delete = exchange.auto_delete;
  declaration.internal = exchange.internal;
  declaration.arguments = exchange.arguments;
  if (!exchange.alternate_exchange.empty()) {
    declaration.arguments["alternate-exchange"] = exchange.alternate_exchange;
  }
  return declaration;
}

amqp::QueueDeclaration declaration_of(const Queue& queue) {
  amqp::QueueDeclaration declaration;
  declaration.name = queue.name;
  declaration.durable = queue.durable;
  declaration.exclusive = queue.exclusive;
  declaration.auto_delete = queue.auto_delete;
  declaration.arguments = queue.arguments;
  return declaration;
}

amqp::BindingDeclaration declaration_of(const Binding& binding) {
  amqp::BindingDeclaration declaration;
  declaration.source = binding.exchange;
  declaration.to = binding.destination_kind == Binding::Destination::kExchange
                       ? amqp::BindingDeclaration::To::kExchange
                       : amqp::BindingDeclaration::To::kQueue;
  declaration.destination = binding.destination;
  declaration.routing_key = binding.routing_key;
  declaration.arguments = binding.arguments;
  return declaration;
}

amqp::Session open_session(const std::string& uri, const DeclarationOptions& options) {
  amqp::TlsOptions tls;
  tls.insecure = options.tls_insecure;
  return {amqp::Uri::parse(uri), tls};
}

void announce(const DeclarationOptions& options, const char* kind, const std::string& name) {
  if (options.before_create) options.before_create(kind, name);
}

[[noreturn]] void missing(const std::string& kind, const std::string& name) {
  throw Error("the predeclared " + kind + " \"" + name + "\" does not exist on the broker", kind + " " + name,
              "declare it there first, or drop \"predeclared\" from the experiment");
}

}  // namespace

Topology Topology::from_json(const Json& json, const std::string& pointer) {
  Topology topology;
  read_exchanges(json.value("exchanges", Json::array()), pointer, topology);
  const Copies copies = read_queues(json.value("queues", Json::array()), pointer, topology);
  for (std::size_t i = 0; i < topology.exchanges.size(); ++i) {
    const std::string& alternate = topology.exchanges[i].alternate_exchange;
    if (is_builtin_exchange(alternate) || topology.exchange(alternate) != nullptr) continue;
    refuse(pointer + "/exchanges/" + std::to_string(i) + "/alternate_exchange",
           "exchange \"" + alternate + "\" is not declared",
           nearest_remedy(alternate, exchange_names(topology)));
  }
  read_bindings(json.value("bindings", Json::array()), pointer, copies, topology);
  return topology;
}

Topology Topology::with_prefix(const std::string& prefix) const {
  Topology result = *this;
  const auto exchange_name = [&](std::string& name) {
    const Exchange* found = exchange(name);
    if (found != nullptr && !found->predeclared) name = prefix + name;
  };
  for (Exchange& exchange : result.exchanges) {
    if (!exchange.predeclared) exchange.name = prefix + exchange.name;
    exchange_name(exchange.alternate_exchange);
  }
  for (Queue& queue : result.queues) {
    if (!queue.predeclared) queue.name = prefix + queue.name;
  }
  for (Binding& binding : result.bindings) {
    exchange_name(binding.exchange);
    if (binding.destination_kind == Binding::Destination::kExchange) {
      exchange_name(binding.destination);
    } else if (!queue(binding.destination)->predeclared) {
      binding.destination = prefix + binding.destination;
    }
  }
  return result;
}

bool Topology::has_predeclared() const {
  const auto predeclared = [](const auto& object) { return object.predeclared; };
  return std::any_of(exchanges.begin(), exchanges.end(), predeclared) ||
         std::any_of(queues.begin(), queues.end(), predeclared);
}

const Exchange* Topology::exchange(const std::string& name) const {
  const auto found =
      std::find_if(exchanges.begin(), exchanges.end(), [&](const auto& each) { return each.name == name; });
  return found == exchanges.end() ? nullptr : &*found;
}

const Queue* Topology::queue(const std::string& name) const {
  const auto found =
      std::find_if(queues.begin(), queues.end(), [&](const auto& each) { return each.name == name; });
  return found == queues.end() ? nullptr : &*found;
}

std::string plugin_of_exchange_type(const std::string& type) {
  static const std::vector<std::pair<std::string, std::string>> known{
      {"x-consistent-hash", "rabbitmq_consistent_hash_exchange"},
      {"x-modulus-hash", "rabbitmq_sharding"},
      {"x-random", "rabbitmq_random_exchange"},
      {"x-recent-history", "rabbitmq_recent_history_exchange"},
      {"x-event", "rabbitmq_event_exchange"},
      {"x-jms-topic", "rabbitmq_jms_topic_exchange"}};
  for (const auto& [name, plugin] : known) {
    if (name == type) return plugin;
  }
  return "";
}

std::vector<std::string> plugins_for(const Topology& topology) {
  std::set<std::string> plugins;
  for (const Exchange& exchange : topology.exchanges) {
    const std::string plugin = plugin_of_exchange_type(exchange.type);
    if (!plugin.empty()) plugins.insert(plugin);
  }
  return {plugins.begin(), plugins.end()};
}

void declare(const Topology& topology, const std::string& uri, const DeclarationOptions& options) {
  amqp::Session session = open_session(uri, options);
  for (const Exchange& exchange : topology.exchanges) {
    if (exchange.predeclared) {
      if (!session.exchange_exists(exchange.name)) missing("exchange", exchange.name);
      continue;
    }
    announce(options, "exchange", exchange.name);
    session.declare(declaration_of(exchange));
  }
  for (const Queue& queue : topology.queues) {
    if (queue.predeclared) {
      if (!session.queue(queue.name)) missing("queue", queue.name);
      continue;
    }
    announce(options, "queue", queue.name);
    session.declare(declaration_of(queue));
  }
  for (const Binding& binding : topology.bindings) session.bind(declaration_of(binding));
}

void remove(const Topology& topology, const std::string& uri, const DeclarationOptions& options) {
  std::vector<std::string> queues, exchanges;
  for (const Queue& queue : topology.queues) {
    if (!queue.predeclared) queues.push_back(queue.name);
  }
  for (const Exchange& exchange : topology.exchanges) {
    if (!exchange.predeclared) exchanges.push_back(exchange.name);
  }
  remove_named(queues, exchanges, uri, options);
}

void remove_named(const std::vector<std::string>& queues, const std::vector<std::string>& exchanges,
                  const std::string& uri, const DeclarationOptions& options) {
  amqp::Session session = open_session(uri, options);
  for (const std::string& queue : queues) session.remove_queue(queue);
  for (const std::string& exchange : exchanges) session.remove_exchange(exchange);
}

}  // namespace brokerlab
