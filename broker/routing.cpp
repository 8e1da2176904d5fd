#include "broker/routing.h"

#include <algorithm>
#include <map>
#include <set>

namespace brokerlab {
namespace {

// "" has no word, "a." has two: as RabbitMQ splits.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  if (text.empty()) return words;
  for (;;) {
    const auto dot = text.find('.');
    words.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return words;
    text.remove_prefix(dot + 1);
  }
}

std::string type_of_brokers_own(const std::string& exchange) {
  static const std::map<std::string, std::string> types{{"amq.direct", "direct"},
                                                        {"amq.fanout", "fanout"},
                                                        {"amq.topic", "topic"},
                                                        {"amq.headers", "headers"},
                                                        {"amq.match", "headers"}};
  const auto found = types.find(exchange);
  return found == types.end() ? "" : found->second;
}

// 1 and 1.0 are of two types on the wire, and never equal.
Json::value_t kind_of(const Json& value) {
  return value.type() == Json::value_t::number_unsigned ? Json::value_t::number_integer : value.type();
}

// One walk through the exchanges of a topology, each visited once, as RabbitMQ does it.
class Walk {
 public:
  Walk(const Topology& topology, const std::string& key, const Json* headers)
      : topology_(topology), key_(key), headers_(headers) {}

  Routes from(const std::string& exchange) {
    visit_later(exchange);
    while (!pending_.empty()) {
      const std::string next = std::move(pending_.back());
      pending_.pop_back();
      visit(next);
    }
    return result();
  }

 private:
  void visit_later(const std::string& exchange) {
    if (seen_.insert(exchange).second) pending_.push_back(exchange);
  }

  void visit(const std::string& name) {
    if (name.empty()) {
      if (topology_.queue(key_)) queues_.insert(key_);
      return;
    }
    const Exchange* declared = topology_.exchange(name);
    const std::string type = declared ? declared->type : type_of_brokers_own(name);
    std::vector<const Binding*> matching;
    for (const Binding& binding : topology_.bindings) {
      if (binding.exchange == name && matches(type, binding)) matching.push_back(&binding);
    }
    if (type == "x-consistent-hash" || type == "x-random") {
      choose_one(matching);
    } else if (type == "direct" || type == "fanout" || type == "topic" ||
               (type == "headers" && headers_ != nullptr)) {
      for (const Binding* binding : matching) {
        known_ = known_ && binding->lasts();  // else it depends on the time
        follow(*binding);
      }
    } else {
      known_ = false;  // headers nobody told us, a type of some plugin, or an exchange we know nothing of
      return;
    }
    // An alternate exchange takes what no binding of this very exchange takes.
    if (matching.empty() && declared) visit_alternate(*declared);
  }

  void visit_alternate(const Exchange& exchange) {
    std::string alternate = exchange.alternate_exchange;
    const auto argument = exchange.arguments.find("alternate-exchange");
    if (alternate.empty() && argument != exchange.arguments.end() && argument->is_string()) {
      alternate = argument->get<std::string>();
    }
    if (!alternate.empty()) visit_later(alternate);
  }

  bool matches(const std::string& type, const Binding& binding) const {
    if (type == "direct") return binding.routing_key == key_;
    if (type == "topic") return topic_matches(binding.routing_key, key_);
    if (type == "headers" && headers_ != nullptr) return headers_match(binding.arguments, *headers_);
    return true;
  }

  void follow(const Binding& binding) {
    if (binding.destination_kind == Binding::Destination::kQueue) {
      queues_.insert(binding.destination);
    } else {
      visit_later(binding.destination);
    }
  }

  void choose_one(const std::vector<const Binding*>& bindings) {
    std::set<std::string> names;
    for (const Binding* binding : bindings) {
      // Which way it goes decides what lies behind: more than a list of queues can say.
      if (binding->destination_kind == Binding::Destination::kExchange && bindings.size() > 1) known_ = false;
      names.insert(binding->destination);
    }
    if (bindings.size() == 1) {
      follow(*bindings[0]);
    } else if (names.size() == 1) {
      queues_.insert(*names.begin());
    } else if (names.size() > 1) {
      one_of_.emplace_back(names.begin(), names.end());
    }
  }

  Routes result() {
    // A queue gets one copy however it is reached: sets that overlap with something cannot be counted.
    std::set<std::string> taken = queues_;
    for (const std::vector<std::string>& set : one_of_) {
      for (const std::string& name : set) known_ = taken.insert(name).second && known_;
    }
    std::sort(one_of_.begin(), one_of_.end());
    return {{queues_.begin(), queues_.end()}, std::move(one_of_), known_};
  }

  const Topology& topology_;
  const std::string& key_;
  const Json* headers_;  // null: not known
  std::set<std::string> seen_, queues_;
  std::vector<std::string> pending_;
  std::vector<std::vector<std::string>> one_of_;
  bool known_ = true;
};

}  // namespace

Routes route(const Topology& topology, const std::string& exchange, const std::string& routing_key) {
  return Walk(topology, routing_key, nullptr).from(exchange);
}

Routes route(const Topology& topology, const std::string& exchange, const std::string& routing_key,
             const Json& headers) {
  return Walk(topology, routing_key, &headers).from(exchange);
}

bool headers_match(const Json& arguments, const Json& headers) {
  const std::string mode = arguments.value("x-match", "all");
  const bool any = mode.starts_with("any");
  for (const auto& [key, wanted] : arguments.items()) {
    if (key == "x-match" || (key.starts_with("x-") && !mode.ends_with("-with-x"))) continue;
    const auto found = headers.find(key);
    const bool matches = found != headers.end() &&
                         (wanted.is_null() || (kind_of(*found) == kind_of(wanted) && *found == wanted));
    if (matches == any) return any;
  }
  return !any;
}

bool topic_matches(std::string_view pattern, std::string_view routing_key) {
  const std::vector<std::string_view> want = words_of(pattern);
  const std::vector<std::string_view> have = words_of(routing_key);
  // reach[j]: the pattern's words so far match exactly the first j words of the key.
  std::vector<bool> reach(have.size() + 1, false);
  reach[0] = true;
  for (std::string_view word : want) {
    if (word == "#") {
      for (std::size_t j = 1; j < reach.size(); ++j) reach[j] = reach[j] || reach[j - 1];
      continue;
    }
    for (std::size_t j = reach.size() - 1; j > 0; --j)
      reach[j] = reach[j - 1] && (word == "*" || word == have[j - 1]);
    reach[0] = false;
  }
  return reach.back();
}

}  // namespace brokerlab
