#include "experiments/simulated_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/simulated_broker.h"
#include "core/error.h"
#include "core/units.h"
#include "experiments/meaning.h"

namespace brokerlab {
namespace {

// A peer that is silent for so many heartbeats is taken for dead.
constexpr int kHeartbeats = 2;

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Error(
      "a simulation does not model " + what, where,
      "leave it out, or run the experiment on a real broker (docs/simulation.md says what is modelled)",
      ExitStatus::kUsage);
}

void check_topology(const Json& topology) {
  const auto check = [](const Json& list, const std::string& at, std::initializer_list<const char*> keys) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      for (const char* key : keys)
        if (list[i].value(key, false)) refuse(key, fmt::format("/topology/{}/{}/{}", at, i, key));
    }
  };
  check(list_at(topology, "exchanges"), "exchanges", {"auto_delete", "internal", "predeclared"});
  check(list_at(topology, "queues"), "queues", {"auto_delete", "exclusive", "predeclared"});
  VirtualTime time;
  SimulatedBroker(Topology::from_json(topology), {}, time);  // exchange types, arguments, dead letters
}

void check_loads(const Json& loads) {
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const Json& publish = loads[i].at("publish");
    const std::string at = fmt::format("/load/{}/publish/", i);
    for (const char* key : {"transaction", "replies"})
      if (loads[i].contains(key) && loads[i].at(key) != Json(false))
        refuse(key, fmt::format("/load/{}/{}", i, key));
    if (publish.contains("expiration")) refuse("a time to live of single messages", at + "expiration");
    for (const char* header : {"CC", "BCC"})
      if (member(publish, "headers").contains(header))
        refuse("more keys in a header", at + "headers/" + header);
  }
}

void check_consume(const Json& consume, const std::string& at) {
  for (const char* key : {"get", "priority"})
    if (consume.contains(key))
      refuse(key == std::string_view("get") ? "polling" : "priorities of consumers", at + key);
  for (const char* key : {"channel_prefetch", "rate", "transaction", "start"})
    if (consume.contains(key)) refuse(key, at + key);
  if (consume.value("exclusive", false)) refuse("exclusive consumers", at + "exclusive");
  if (!member(consume, "arguments").empty()) refuse("arguments of consumers", at + "arguments");
}

void check_roles(const Json& roles) {
  static constexpr std::array kBehaviours = {"rule", "shopping_worker", "customer_app"};
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const std::string at = fmt::format("/roles/{}/", i);
    check_consume(roles[i].at("consume"), at + "consume/");
    if (roles[i].contains("settle")) refuse("messages that are refused", at + "settle");
    if (member(member(roles[i], "publish"), "reply") == Json(true)) refuse("replies", at + "publish/reply");
    if (member(member(roles[i], "effort"), "seconds").is_object() &&
        roles[i].at("effort").at("seconds").contains("profile"))
      refuse("work that changes over time", at + "effort/seconds");
    const std::string behaviour = roles[i].value("behaviour", "rule");
    if (std::find(kBehaviours.begin(), kBehaviours.end(), behaviour) == kBehaviours.end())
      refuse("the behaviour " + behaviour, at + "behaviour");
  }
}

bool is_load(const PlannedRun& run, const std::string& target) {
  const Json& loads = run.experiment.at("load");
  return std::any_of(loads.begin(), loads.end(), [&](const Json& load) { return load["name"] == target; });
}

void check_faults(const PlannedRun& run) {
  const Nanoseconds heartbeat_ns = parse_duration(run.experiment.at("broker").value("heartbeat", "10s"));
  const Json& faults = run.experiment.at("faults");
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const std::string at = fmt::format("/faults/{}/", i);
    const std::string kind = faults[i].at("kind"), target = faults[i].at("target");
    const bool load = is_load(run, target);
    const bool modelled = kind == "pause" || kind == "hang" || kind == "slow" ||
                          (kind == "kill" && target != "broker" && !load);
    if (!modelled) refuse(fmt::format("the fault {} of {}", kind, target), at + "kind");
    if (kind != "pause") continue;
    const Nanoseconds duration_ns = parse_duration(faults[i].at("duration"));
    if (duration_ns >= kHeartbeats * heartbeat_ns)
      refuse(fmt::format("heartbeats, which a pause of {} would break", format_duration(duration_ns)),
             at + "duration");
  }
}

void check_broker(const Json& broker) {
  if (broker.value("nodes", 1) > 1) refuse("clusters", "/broker/nodes");
  if (!member(broker, "arguments").empty()) refuse("settings of RabbitMQ", "/broker/arguments");
  BrokerCosts::from_json(Json(), broker.value("costs", Json()));  // durations that are none
}

}  // namespace

void refuse_what_is_not_simulated(const PlannedRun& run) {
  check_broker(run.experiment.at("broker"));
  check_topology(run.topology);
  if (!list_at(run.experiment, "churn").empty()) refuse("churn", "/churn");
  check_loads(run.experiment.at("load"));
  check_roles(run.experiment.at("roles"));
  check_faults(run);
}

std::vector<std::string> without_effect_in_simulation(const PlannedRun& run) {
  std::vector<std::string> notes;
  bool spin = false, persistent = false, coalescing = false;
  for (const Json& role : run.experiment.at("roles")) {
    spin |= role.at("effort").at("kind") == "spin";
    coalescing |= role.at("consume").contains("read_coalescing");
  }
  for (const Json& load : run.experiment.at("load"))
    persistent |= load.at("publish").value("persistent", false);
  if (spin) notes.emplace_back("simulated: efforts that spin do not compete for processors");
  if (persistent) notes.emplace_back("simulated: persistent messages cost no more than others");
  if (coalescing) notes.emplace_back("simulated: read_coalescing has no effect");
  return notes;
}

}  // namespace brokerlab
