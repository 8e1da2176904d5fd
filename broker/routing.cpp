#include "broker/routing.h"

#include <algorithm>
#include <set>

namespace brokerlab {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0;;) {
    const std::size_t dot = text.find('.', begin);
    words.push_back(text.substr(begin, dot == std::string_view::npos ? dot : dot - begin));
    if (dot == std::string_view::npos) return words;
    begin = dot + 1;
  }
}

using Words = std::vector<std::string_view>;

bool matches(const Words& pattern, std::size_t p, const Words& key, std::size_t k) {
  if (p == pattern.size()) return k == key.size();
  if (pattern[p] == "#") {
    for (std::size_t skipped = k; skipped <= key.size(); ++skipped) {
      if (matches(pattern, p + 1, key, skipped)) return true;
    }
    return false;
  }
  if (k == key.size()) return false;
  return (pattern[p] == "*" || pattern[p] == key[k]) && matches(pattern, p + 1, key, k + 1);
}

// One message on its way through exchanges; each is visited once, as the broker does.
class Walk {
 public:
  explicit Walk(const Topology& topology) : topology_(topology) {}

  void visit(const std::string& exchange, const std::string& key) {
    if (!visited_.insert(exchange).second) return;
    if (exchange.empty()) {
      if (topology_.queue(key) != nullptr) queues_.insert(key);
      return;
    }
    const Exchange* declared = topology_.exchange(exchange);
    if (declared == nullptr || declared->predeclared) {
      known_ = false;  // bindings that we did not make may exist
      return;
    }
    if (declared->type == "x-consistent-hash" || declared->type == "x-random") return one_of(*declared);
    if (declared->type != "direct" && declared->type != "fanout" && declared->type != "topic") {
      known_ = false;
      return;
    }
    bool taken = false;
    for (const Binding& binding : topology_.bindings) {
      if (binding.exchange != exchange || !takes(*declared, binding, key)) continue;
      taken = true;
      follow(binding, key);
    }
    if (!taken && !declared->alternate_exchange.empty()) visit(declared->alternate_exchange, key);
  }

  Routes routes() const { return {{queues_.begin(), queues_.end()}, {sets_.begin(), sets_.end()}, known_}; }

 private:
  static bool takes(const Exchange& exchange, const Binding& binding, const std::string& key) {
    if (exchange.type == "fanout") return true;
    return exchange.type == "direct" ? binding.routing_key == key : topic_matches(binding.routing_key, key);
  }

  void follow(const Binding& binding, const std::string& key) {
    if (binding.destination_kind == Binding::Destination::kExchange) {
      visit(binding.destination, key);
    } else {
      queues_.insert(binding.destination);
    }
  }

  void one_of(const Exchange& exchange) {
    std::set<std::string> candidates;
    for (const Binding& binding : topology_.bindings) {
      if (binding.exchange != exchange.name) continue;
      if (binding.destination_kind == Binding::Destination::kExchange) {
        known_ = false;  // a choice among exchanges is more than a set of queues can say
        return;
      }
      candidates.insert(binding.destination);
    }
    if (candidates.size() == 1) {
      queues_.insert(*candidates.begin());
    } else if (!candidates.empty()) {
      sets_.insert({candidates.begin(), candidates.end()});
    } else if (!exchange.alternate_exchange.empty()) {
      known_ = false;
    }
  }

  const Topology& topology_;
  std::set<std::string> visited_;
  std::set<std::string> queues_;
  std::set<std::vector<std::string>> sets_;
  bool known_ = true;
};

}  // namespace

Routes route(const Topology& topology, const std::string& exchange, const std::string& routing_key) {
  Walk walk(topology);
  walk.visit(exchange, routing_key);
  return walk.routes();
}

bool topic_matches(std::string_view pattern, std::string_view routing_key) {
  return matches(words_of(pattern), 0, words_of(routing_key), 0);
}

}  // namespace brokerlab
