#include "broker/topology.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

constexpr char kPlaceholder[] = "{i}";

bool is_brokers_own(const std::string& exchange) { return exchange.empty() || exchange.starts_with("amq."); }

bool has_placeholder(const std::string& text) { return text.find(kPlaceholder) != std::string::npos; }

std::string with_index(std::string text, std::int64_t index) {
  const std::string number = std::to_string(index);
  for (auto at = text.find(kPlaceholder); at != std::string::npos;
       at = text.find(kPlaceholder, at + number.size())) {
    text.replace(at, sizeof kPlaceholder - 1, number);
  }
  return text;
}

Json with_index(Json value, std::int64_t index) {
  if (value.is_string()) return with_index(value.get<std::string>(), index);
  if (value.is_structured()) {
    for (Json& part : value) part = with_index(part, index);
  }
  return value;
}

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& remedy) {
  throw Error(what, where, remedy, ExitStatus::kUsage);
}

Exchange exchange_from(const Json& value) {
  Exchange exchange;
  exchange.name = value.at("name").get<std::string>();
  exchange.type = value.at("type").get<std::string>();
  exchange.durable = value.value("durable", false);
  exchange.auto_delete = value.value("auto_delete", false);
  exchange.internal = value.value("internal", false);
  exchange.alternate_exchange = value.value("alternate_exchange", "");
  exchange.arguments = value.value("arguments", Json::object());
  exchange.predeclared = value.value("predeclared", false);
  return exchange;
}

Queue queue_from(const Json& value, std::int64_t index) {
  Queue queue;
  queue.name = with_index(value.at("name").get<std::string>(), index);
  queue.durable = value.value("durable", false);
  queue.exclusive = value.value("exclusive", false);
  queue.auto_delete = value.value("auto_delete", false);
  queue.arguments = with_index(value.value("arguments", Json::object()), index);
  queue.predeclared = value.value("predeclared", false);
  return queue;
}

Binding binding_from(const Json& value) {
  Binding binding;
  binding.exchange = value.at("exchange").get<std::string>();
  if (value.contains("queue")) {
    binding.destination = value.at("queue").get<std::string>();
  } else {
    binding.destination_kind = Binding::Destination::kExchange;
    binding.destination = value.at("destination_exchange").get<std::string>();
  }
  binding.routing_key = value.value("routing_key", "");
  binding.arguments = value.value("arguments", Json::object());
  if (value.contains("from")) binding.from_ns = parse_duration(value.at("from"));
  if (value.contains("until")) binding.until_ns = parse_duration(value.at("until"));
  return binding;
}

// Reads one topology; the names declared so far are kept in sets, because there may be 100,000 queues.
class Reader {
 public:
  Reader(const Json& source, const std::string& pointer) : source_(source), pointer_(pointer) {}

  Topology read() {
    const Json none = Json::array();
    read_exchanges(source_.value("exchanges", none));
    read_queues(source_.value("queues", none));
    read_bindings(source_.value("bindings", none));
    return std::move(topology_);
  }

 private:
  std::string at(const char* list, std::size_t index) const {
    return pointer_ + "/" + list + "/" + std::to_string(index);
  }

  void read_exchanges(const Json& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      topology_.exchanges.push_back(exchange_from(list[i]));
      const std::string& name = topology_.exchanges.back().name;
      if (!exchanges_.insert(name).second)
        refuse("exchange \"" + name + "\" is declared twice", at("exchanges", i), "remove one");
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      need_exchange(topology_.exchanges[i].alternate_exchange, at("exchanges", i) + "/alternate_exchange");
    }
  }

  void read_queues(const Json& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Numbers numbers{list[i].value("first", std::int64_t{0}),
                            list[i].value("copies", std::int64_t{1})};
      const std::string name = list[i].at("name").get<std::string>();
      if (numbers.copies > 1 && !has_placeholder(name)) {
        refuse(std::to_string(numbers.copies) + " copies of queue \"" + name + "\" would have the same name",
               at("queues", i) + "/name", "put {i} into the name");
      }
      numbers_[name] = numbers;
      for (std::int64_t copy = 0; copy < numbers.copies; ++copy) {
        topology_.queues.push_back(queue_from(list[i], numbers.first + copy));
        const std::string& full = topology_.queues.back().name;
        if (!queues_.insert(full).second)
          refuse("queue \"" + full + "\" is declared twice", at("queues", i), "remove one");
      }
    }
  }

  void read_bindings(const Json& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Binding binding = binding_from(list[i]);
      if (binding.exchange.empty()) {
        refuse("nothing can be bound to the default exchange", at("bindings", i) + "/exchange",
               "it leads to every queue by its name already: leave the binding out");
      }
      need_exchange(binding.exchange, at("bindings", i) + "/exchange");
      if (binding.from_ns && binding.until_ns && *binding.until_ns <= *binding.from_ns) {
        refuse("this binding ends before it begins", at("bindings", i) + "/until", "a time after \"from\"");
      }
      if (binding.destination_kind == Binding::Destination::kExchange) {
        need_exchange(binding.destination, at("bindings", i) + "/destination_exchange");
        topology_.bindings.push_back(binding);
      } else {
        bind_queue(binding, at("bindings", i) + "/queue");
      }
    }
  }

  void bind_queue(const Binding& binding, const std::string& where) {
    const auto copied = numbers_.find(binding.destination);
    const bool placeholder = has_placeholder(binding.destination);
    if (placeholder ? copied == numbers_.end() : !queues_.contains(binding.destination)) {
      refuse("queue \"" + binding.destination + "\" is not declared", where,
             "declare it under queues, or check the name");
    }
    for (std::int64_t copy = 0; copy < (placeholder ? copied->second.copies : 1); ++copy) {
      Binding one = binding;
      if (placeholder) {
        const std::int64_t number = copied->second.first + copy;
        one.destination = with_index(binding.destination, number);
        one.routing_key = with_index(binding.routing_key, number);
        one.arguments = with_index(binding.arguments, number);
      }
      topology_.bindings.push_back(std::move(one));
    }
  }

  void need_exchange(const std::string& name, const std::string& where) const {
    if (is_brokers_own(name) || exchanges_.contains(name)) return;
    refuse("exchange \"" + name + "\" is not declared", where,
           "declare it under exchanges, or check the name");
  }

  const Json& source_;
  const std::string& pointer_;
  Topology topology_;
  std::set<std::string> exchanges_, queues_;
  struct Numbers {
    std::int64_t first = 0, copies = 1;
  };
  std::map<std::string, Numbers> numbers_;  // by the name as it stands in the file
};

// Which names of a topology are ours, and so get the prefix.
class OwnNames {
 public:
  OwnNames(const Topology& topology, const std::string& prefix) : prefix_(prefix) {
    for (const Exchange& exchange : topology.exchanges) {
      if (!exchange.predeclared && !is_brokers_own(exchange.name)) exchanges_.insert(exchange.name);
    }
    for (const Queue& queue : topology.queues) {
      if (!queue.predeclared) queues_.insert(queue.name);
    }
  }
  std::string exchange(const std::string& name) const {
    return exchanges_.contains(name) ? prefix_ + name : name;
  }
  std::string queue(const std::string& name) const { return queues_.contains(name) ? prefix_ + name : name; }

  // Arguments in which a queue or an exchange names others.
  Json arguments(Json all) const {
    for (const char* key : {"alternate-exchange", "x-dead-letter-exchange"}) {
      if (all.contains(key) && all[key].is_string()) all[key] = exchange(all[key].get<std::string>());
    }
    // Dead letters to the default exchange: the key is the name of a queue.
    const bool to_queue = all.value("x-dead-letter-exchange", Json("-")) == "";
    if (to_queue && all.contains("x-dead-letter-routing-key")) {
      all["x-dead-letter-routing-key"] = queue(all["x-dead-letter-routing-key"].get<std::string>());
    }
    return all;
  }

 private:
  const std::string& prefix_;
  std::set<std::string> exchanges_, queues_;
};

}  // namespace

Topology Topology::from_json(const Json& topology, const std::string& pointer) {
  return Reader(topology, pointer).read();
}

Topology Topology::with_prefix(const std::string& prefix) const {
  Topology renamed = *this;
  if (prefix.empty()) return renamed;
  const OwnNames names(*this, prefix);
  for (Exchange& exchange : renamed.exchanges) {
    exchange.name = names.exchange(exchange.name);
    exchange.alternate_exchange = names.exchange(exchange.alternate_exchange);
    exchange.arguments = names.arguments(exchange.arguments);
  }
  for (Queue& queue : renamed.queues) {
    queue.name = names.queue(queue.name);
    queue.arguments = names.arguments(queue.arguments);
  }
  for (Binding& binding : renamed.bindings) {
    binding.exchange = names.exchange(binding.exchange);
    binding.destination = binding.destination_kind == Binding::Destination::kQueue
                              ? names.queue(binding.destination)
                              : names.exchange(binding.destination);
  }
  return renamed;
}

bool Topology::has_predeclared() const {
  return std::any_of(exchanges.begin(), exchanges.end(),
                     [](const Exchange& one) { return one.predeclared; }) ||
         std::any_of(queues.begin(), queues.end(), [](const Queue& one) { return one.predeclared; });
}

const Exchange* Topology::exchange(const std::string& name) const {
  const auto found =
      std::find_if(exchanges.begin(), exchanges.end(), [&](const Exchange& one) { return one.name == name; });
  return found == exchanges.end() ? nullptr : &*found;
}

const Queue* Topology::queue(const std::string& name) const {
  const auto found =
      std::find_if(queues.begin(), queues.end(), [&](const Queue& one) { return one.name == name; });
  return found == queues.end() ? nullptr : &*found;
}

std::string plugin_of_exchange_type(const std::string& type) {
  static const std::map<std::string, std::string> plugins{
      {"x-consistent-hash", "rabbitmq_consistent_hash_exchange"},
      {"x-random", "rabbitmq_random_exchange"},
      {"x-recent-history", "rabbitmq_recent_history_exchange"},
      {"x-modulus-hash", "rabbitmq_sharding"},
      {"x-jms-topic", "rabbitmq_jms_topic_exchange"},
      {"x-event", "rabbitmq_event_exchange"},
      {"x-delayed-message", "rabbitmq_delayed_message_exchange"}};
  const auto found = plugins.find(type);
  return found == plugins.end() ? "" : found->second;
}

std::vector<std::string> plugins_for(const Topology& topology) {
  std::set<std::string> plugins;
  for (const Exchange& exchange : topology.exchanges) {
    const std::string plugin = plugin_of_exchange_type(exchange.type);
    if (!plugin.empty()) plugins.insert(plugin);
  }
  return {plugins.begin(), plugins.end()};
}

}  // namespace brokerlab
