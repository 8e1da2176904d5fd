#include "broker/simulated_routing.h"

#include <algorithm>
#include <array>

#include "broker/routing.h"
#include "core/error.h"

namespace brokerlab {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Error("the simulated broker does not know " + what, where, "use a real broker for this experiment",
              ExitStatus::kUsage);
}

std::uint32_t weight_of(const Binding& binding) {
  const std::string& key = binding.routing_key;
  const bool digits = !key.empty() && key.size() <= 6 &&
                      std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto weight = digits ? static_cast<std::uint32_t>(std::stoul(key)) : 0;
  if (weight == 0) refuse("the weight \"" + key + "\"", "exchange " + binding.exchange);
  return weight;
}

bool same(const Binding& a, const Binding& b) {
  return a.exchange == b.exchange && a.destination_kind == b.destination_kind &&
         a.destination == b.destination && a.routing_key == b.routing_key && a.arguments == b.arguments;
}

}  // namespace

SimulatedRouting::SimulatedRouting(const Topology& topology, std::uint64_t seed)
    : topology_(topology), random_(seed, "simulated routing", 0) {
  refuse_unknown();
  for (const Queue& queue : topology_.queues)
    queue_numbers_.emplace(queue.name, static_cast<std::uint32_t>(queue_numbers_.size()));
  std::vector<Binding> bindings;
  std::swap(bindings, topology_.bindings);
  for (Binding binding : bindings) {
    if (binding.from_ns) continue;
    binding.until_ns.reset();
    bind(binding);
  }
}

bool SimulatedRouting::hashes(const std::string& exchange) const {
  const Exchange* declared = topology_.exchange(exchange);
  return declared != nullptr && declared->type == "x-consistent-hash";
}

void SimulatedRouting::refuse_unknown(const Exchange& exchange) const {
  const std::string where = "exchange " + exchange.name;
  static constexpr std::array kTypes = {"direct",  "fanout", "topic", "headers", "x-consistent-hash",
                                        "x-random"};
  if (std::find(kTypes.begin(), kTypes.end(), exchange.type) == kTypes.end())
    refuse("exchanges of type " + exchange.type, where);
  for (const auto& [key, value] : exchange.arguments.items())
    if (key != "alternate-exchange") refuse("the argument " + key, where);
  const auto argument = exchange.arguments.find("alternate-exchange");
  const bool to_hash =
      hashes(exchange.alternate_exchange) ||
      (argument != exchange.arguments.end() && argument->is_string() && hashes(argument->get<std::string>()));
  if (to_hash) refuse("consistent hash as an alternate exchange", where);
}

void SimulatedRouting::refuse_unknown() const {
  for (const Exchange& exchange : topology_.exchanges) refuse_unknown(exchange);
  for (const Binding& binding : topology_.bindings) {
    if (binding.destination_kind == Binding::Destination::kQueue) continue;
    if (hashes(binding.exchange) || hashes(binding.destination))
      refuse("consistent hash between exchanges", "exchange " + binding.exchange);
  }
}

void SimulatedRouting::bind(const Binding& binding) {
  ++bindings_state_;
  topology_.bindings.push_back(binding);
  Binding& bound = topology_.bindings.back();
  bound.from_ns.reset();
  bound.until_ns.reset();
  if (hashes(binding.exchange)) hashes_[binding.exchange].bind(binding.destination, weight_of(binding));
}

void SimulatedRouting::unbind(const Binding& binding) {
  ++bindings_state_;
  std::erase_if(topology_.bindings, [&](const Binding& other) { return same(binding, other); });
  if (hashes(binding.exchange)) hashes_[binding.exchange].unbind(binding.destination);
}

std::uint32_t SimulatedRouting::route(const std::string& exchange, const std::string& routing_key,
                                      const Json& headers) {
  const std::string name = exchange + '\0' + routing_key + '\0' + (headers.empty() ? "" : headers.dump());
  const auto [place, made] = numbers_.try_emplace(name, static_cast<std::uint32_t>(ways_.size()));
  if (made) {
    ways_.push_back({exchange, routing_key, headers.is_object() ? headers : Json::object(), {}, {}});
    work_out(ways_.back());
  }
  return place->second;
}

void SimulatedRouting::work_out(Way& way) {
  way.as_of = bindings_state_;
  way.queues.clear();
  way.one_of.clear();
  const auto hash = hashes_.find(way.exchange);
  if (hash != hashes_.end() && !hash->second.empty()) {
    way.queues = {number_of(hash->second.destination_of(way.routing_key))};
    return;
  }
  const Routes routes = brokerlab::route(topology_, way.exchange, way.routing_key, way.headers);
  if (!routes.known) refuse("where it leads", "exchange " + way.exchange + ", key " + way.routing_key);
  for (const std::string& queue : routes.queues) way.queues.push_back(number_of(queue));
  for (const std::vector<std::string>& set : routes.one_of) {
    way.one_of.emplace_back();
    for (const std::string& queue : set) way.one_of.back().push_back(number_of(queue));
  }
}

const std::vector<std::uint32_t>& SimulatedRouting::queues(std::uint32_t number) {
  Way& way = ways_[number];
  if (way.as_of != bindings_state_) work_out(way);
  if (way.one_of.empty()) return way.queues;
  drawn_ = way.queues;
  for (const std::vector<std::uint32_t>& set : way.one_of) drawn_.push_back(set[random_.below(set.size())]);
  return drawn_;
}

}  // namespace brokerlab
