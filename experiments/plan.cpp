#include "experiments/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "broker/routing.h"
#include "core/error.h"
#include "core/random.h"
#include "core/units.h"
#include "experiments/digest.h"
#include "experiments/fault_kind.h"
#include "experiments/meaning.h"
#include "experiments/search_spec.h"
#include "loadgen/schedule.h"

namespace brokerlab {
namespace {

PlannedRoute planned_route(const Topology& topology, const std::string& exchange, const std::string& key) {
  const Routes routes = route(topology, exchange, key);
  PlannedRoute planned{exchange, key, {}, PlannedRoute::Delivery::kUnknown};
  if (routes.known && routes.one_of.empty()) {
    planned.queues = routes.queues;
    planned.delivery = PlannedRoute::Delivery::kAll;
  } else if (routes.known && routes.queues.empty() && routes.one_of.size() == 1) {
    planned.queues = routes.one_of.front();
    planned.delivery = PlannedRoute::Delivery::kOneOf;
  }
  return planned;
}

// Where every key of the exchange leads, when its rule does not look at the key's words.
PlannedRoute route_of_any_key(const Topology& topology, const std::string& exchange) {
  const Exchange* declared = topology.exchange(exchange);
  const bool key_matters =
      declared == nullptr ||
      (declared->type != "fanout" && declared->type != "x-consistent-hash" && declared->type != "x-random");
  const bool to_queues_only =
      std::all_of(topology.bindings.begin(), topology.bindings.end(), [&](const Binding& binding) {
        return binding.exchange != exchange || binding.destination_kind == Binding::Destination::kQueue;
      });
  if (key_matters || !to_queues_only) return {exchange, "", {}, PlannedRoute::Delivery::kUnknown};
  return planned_route(topology, exchange, "");
}

// Puts the processes of one run together. Publisher numbers run through all loads and then the roles that
// publish.
class ProcessPlan {
 public:
  explicit ProcessPlan(PlannedRun& run) : run_(run), topology_(Topology::from_json(run.topology)) {}

  void add_entries(const char* list, const char* name_key, PlannedProcess::Kind kind) {
    const Json entries = run_.experiment.value(list, Json::array());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Json& entry = entries[i];
      PlannedProcess common;
      common.kind = kind;
      common.entry = entry.at(name_key);
      common.entry_index = static_cast<int>(i);
      common.instances_total = entry.at("instances");
      const bool publishes =
          kind == PlannedProcess::Kind::kLoad || entry.contains("publish") || !outputs_of(entry).empty();
      if (kind == PlannedProcess::Kind::kLoad) add_load_routes(entry, common);
      if (kind == PlannedProcess::Kind::kRole) add_role_routes(entry, common);
      add_processes(entry, common, publishes);
    }
  }

 private:
  static Json outputs_of(const Json& entry) { return entry.value("outputs", Json::object()); }

  void add_load_routes(const Json& entry, PlannedProcess& common) {
    const auto pairs = possible_routes(entry);
    for (const auto& [name, key] : pairs) common.routes.push_back(planned_route(topology_, name, key));
    if (pairs.empty()) add_other_keys(entry.at("publish").at("exchange"));
  }

  void add_role_routes(const Json& entry, PlannedProcess& common) {
    if (entry.contains("publish")) {
      const Json& publish = entry.at("publish");
      if (publish.value("reply", false)) return add_other_keys("");  // every message brings its key
      common.routes.push_back(planned_route(topology_, publish.at("exchange"), publish.at("routing_key")));
    }
    const Json outputs = outputs_of(entry);
    for (const auto& [name, output] : outputs.items()) {
      Json keys = output.value("keys", Json::array());
      if (output.contains("routing_key")) keys = Json::array({output.at("routing_key")});
      for (const Json& key : keys) {
        common.routes.push_back(planned_route(topology_, output.value("exchange", ""), key));
      }
      if (keys.empty()) add_other_keys(output.value("exchange", ""));
    }
  }

  void add_other_keys(const std::string& exchange) {
    const bool known = std::any_of(run_.other_keys.begin(), run_.other_keys.end(),
                                   [&](const PlannedRoute& other) { return other.exchange == exchange; });
    if (!known) run_.other_keys.push_back(route_of_any_key(topology_, exchange));
  }

  void add_processes(const Json& entry, const PlannedProcess& common, bool publishes) {
    const int processes = entry.at("processes"), instances = entry.at("instances");
    for (int number = 0; number < processes; ++number) {
      PlannedProcess process = common;
      process.number = number;
      process.name = process.entry + "-" + std::to_string(number);
      // Neighbouring instances share a process: the first ones get one more where they do not divide evenly.
      const int first = static_cast<int>(std::int64_t{instances} * number / processes);
      const int end = static_cast<int>(std::int64_t{instances} * (number + 1) / processes);
      std::set<std::string> queues;
      for (const PlannedRoute& route : process.routes) {
        if (process.kind == PlannedProcess::Kind::kLoad)
          queues.insert(route.queues.begin(), route.queues.end());
      }
      for (int index = first; index < end; ++index) {
        process.instances.push_back(instance(entry, process, index, publishes));
        if (!process.instances.back().queue.empty()) queues.insert(process.instances.back().queue);
      }
      process.queues.assign(queues.begin(), queues.end());
      run_.processes.push_back(std::move(process));
    }
  }

  PlannedInstance instance(const Json& entry, const PlannedProcess& process, int index, bool publishes) {
    PlannedInstance instance;
    instance.index = index;
    instance.name = process.entry + "-" + std::to_string(index);
    if (publishes) instance.publisher = next_publisher_++;
    if (process.kind == PlannedProcess::Kind::kRole) {
      instance.queue = queue_of_instance(run_.topology, entry.at("consume").at("queue"), index);
    }
    return instance;
  }

  PlannedRun& run_;
  Topology topology_;
  std::uint32_t next_publisher_ = 0;
};

// The recording numbers the messages of a publisher with 32 bits.
void refuse_too_many(const Json& entry, std::uint64_t messages) {
  const std::uint64_t each = messages / entry.at("instances").get<std::uint64_t>();
  if (each < (std::uint64_t{1} << 32)) return;
  throw Error("load \"" + entry.at("name").get<std::string>() +
                  "\" would publish 2^32 messages and more per instance",
              "", "a shorter measure phase, a lower rate, or more instances", ExitStatus::kUsage);
}

void add_messages(PlannedRun& run) {
  for (const Json& entry : run.experiment.at("load")) {
    const auto messages = scheduled_count(entry, run.phases.load_ns(), run.seed, run.directory);
    if (messages) refuse_too_many(entry, *messages);
    run.messages.push_back({entry.at("name"), messages});
  }
}

std::optional<Nanoseconds> duration_at(const Json& value, const char* key) {
  if (!value.contains(key)) return std::nullopt;
  return parse_duration(value[key]);
}

PlannedFault planned_fault(const Json& entry, const PlannedRun& run) {
  PlannedFault fault;
  fault.at_ns = parse_duration(entry.at("at"));
  fault.kind = entry.at("kind");
  fault.target = entry.at("target");
  fault.mode = fault.target == "all" ? "all" : entry.at("mode");
  fault.instance = entry.value("instance", 0);
  fault.duration_ns = duration_at(entry, "duration");
  fault.restart_after_ns = duration_at(entry, "restart_after");
  fault.times = entry.value("times", 1);
  fault.every_ns = duration_at(entry, "every");
  fault.seed = run.seed;
  fault.settings = entry;
  const FaultKind* kind = fault_kind(fault.kind);
  const bool of_queue = kind != nullptr && (kind->targets & FaultKind::kQueue) != 0;
  const auto hits = [&](const PlannedProcess& process) {
    if (fault.target == "all" && !of_queue) return true;
    if (!of_queue)
      return process.entry == fault.target && (fault.mode == "all" || process.number == fault.instance);
    return std::any_of(process.instances.begin(), process.instances.end(),
                       [&](const PlannedInstance& instance) { return instance.queue == fault.target; });
  };
  for (const PlannedProcess& process : run.processes) {
    if (hits(process)) fault.processes.push_back(process.name);
  }
  return fault;
}

void add_faults(PlannedRun& run) {
  for (const Json& entry : run.experiment.at("faults")) {
    PlannedFault fault = planned_fault(entry, run);
    for (; fault.strike < fault.times; ++fault.strike) {
      run.faults.push_back(fault);
      fault.at_ns += fault.every_ns.value_or(0);
    }
  }
  std::stable_sort(run.faults.begin(), run.faults.end(),
                   [](const PlannedFault& a, const PlannedFault& b) { return a.at_ns < b.at_ns; });
}

// The first repetition has the experiment's own seed, so that a plain run can be repeated by --seed. 53 bits,
// so that every JSON reader keeps the number exactly.
std::uint64_t seed_of(std::uint64_t seed, int repetition) {
  constexpr int kDroppedBits = 11;
  if (repetition == 0) return seed;
  return Random(seed, "repetition", static_cast<std::uint64_t>(repetition)).next() >> kDroppedBits;
}

PlannedRun plan_processes(const Json& experiment, const std::string& directory, std::uint64_t seed) {
  PlannedRun run;
  run.seed = seed;
  run.experiment = experiment;
  run.topology = experiment.at("topology");
  run.directory = directory;
  const Json& phases = experiment.at("phases");
  run.phases = {parse_duration(phases.at("warmup")), parse_duration(phases.at("measure")),
                parse_duration(phases.at("drain"))};
  ProcessPlan processes(run);
  processes.add_entries("load", "name", PlannedProcess::Kind::kLoad);
  processes.add_entries("churn", "name", PlannedProcess::Kind::kChurn);
  processes.add_entries("roles", "role", PlannedProcess::Kind::kRole);
  return run;
}

// Positions of the variants in one block. Fisher and Yates.
std::vector<std::size_t> block_order(const Experiment& experiment, int repetition) {
  std::vector<std::size_t> order(experiment.variants.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (experiment.repetitions == 1) return order;
  Random random(experiment.seed, "block_order", static_cast<std::uint64_t>(repetition));
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

std::string config_hash_of(const Experiment& experiment) {
  Json measured = {{"variants", Json::object()}, {"data_files", Json::object()}};
  for (const Variant& variant : experiment.variants) {
    Json settings = variant.experiment;
    for (const char* key :
         {"seed", "repetitions", "description", "question", "charts", "thresholds", "answers"})
      settings.erase(key);
    measured["variants"][variant.name] = std::move(settings);
  }
  for (const DataFile& file : experiment.data_files) measured["data_files"][file.path] = file.sha256;
  return sha256_of_json(measured);
}

Json optional_json(const auto& value) { return value ? Json(*value) : Json(); }

Json routes_json(const std::vector<PlannedRoute>& routes) {
  Json json = Json::array();
  for (const PlannedRoute& route : routes) json.push_back(to_json(route));
  return json;
}

const char* name_of(PlannedProcess::Kind kind) {
  if (kind == PlannedProcess::Kind::kChurn) return "churn";
  return kind == PlannedProcess::Kind::kLoad ? "load" : "role";
}

// The list of the experiment in which the entries of that kind stand.
const char* list_of(PlannedProcess::Kind kind) {
  return kind == PlannedProcess::Kind::kRole ? "roles" : name_of(kind);
}

Json run_json(const PlannedRun& run) {
  Json json = {{"order", run.order},
               {"variant", run.variant},
               {"repetition", run.repetition},
               {"seed", run.seed},
               {"phases",
                {{"warmup_ns", run.phases.warmup_ns},
                 {"measure_ns", run.phases.measure_ns},
                 {"drain_ns", run.phases.drain_ns}}},
               {"messages", Json::object()},
               {"processes", Json::array()}};
  for (const PlannedMessages& load : run.messages) json["messages"][load.load] = optional_json(load.messages);
  for (const PlannedProcess& process : run.processes) {
    json["processes"].push_back(
        {{"name", process.name}, {"kind", name_of(process.kind)}, {"instances", process.instances.size()}});
  }
  return json;
}

void add_first_trials(const Experiment& experiment, Plan& plan) {
  for (const Variant& variant : experiment.variants) {
    const SearchSpec spec(variant.experiment);
    PlannedRun run = plan_run(experiment, spec.at_rate(variant, spec.range().from), 0);
    run.order = static_cast<int>(plan.runs.size());
    plan.variants.push_back(run.variant);
    plan.runs.push_back(std::move(run));
  }
}

}  // namespace

PlannedRun plan_run(const Experiment& experiment, const Variant& variant, int repetition) {
  PlannedRun run =
      plan_processes(variant.experiment, experiment.directory.string(), seed_of(experiment.seed, repetition));
  run.variant = variant.name;
  run.repetition = repetition;
  add_messages(run);
  add_faults(run);
  return run;
}

Plan make_plan(const Experiment& experiment) {
  Plan plan;
  plan.name = experiment.name;
  plan.seed = experiment.seed;
  plan.repetitions = experiment.repetitions;
  plan.config_hash = config_hash_of(experiment);
  if (has_search(experiment)) {
    add_first_trials(experiment, plan);
    return plan;
  }
  for (const Variant& variant : experiment.variants) plan.variants.push_back(variant.name);
  for (int repetition = 0; repetition < experiment.repetitions; ++repetition) {
    for (const std::size_t variant : block_order(experiment, repetition)) {
      plan.runs.push_back(plan_run(experiment, experiment.variants[variant], repetition));
      plan.runs.back().order = static_cast<int>(plan.runs.size()) - 1;
    }
  }
  return plan;
}

PlannedRun plan_by_hand(const Json& experiment, const std::string& directory, std::uint64_t seed) {
  return plan_processes(experiment, directory, seed);
}

Json assignment(const PlannedRun& run, const PlannedProcess& process) {
  Json instances = Json::array();
  for (const PlannedInstance& instance : process.instances) {
    Json json = {{"index", instance.index}, {"name", instance.name}};
    if (instance.publisher) json["publisher"] = *instance.publisher;
    if (!instance.queue.empty()) json["queue"] = instance.queue;
    instances.push_back(std::move(json));
  }
  const auto entry = static_cast<std::size_t>(process.entry_index);
  return {{"kind", name_of(process.kind)},
          {"process", process.name},
          {"seed", run.seed},
          {"spec", run.experiment.at(list_of(process.kind)).at(entry)},
          {"directory", run.directory},
          {"instances", std::move(instances)},
          {"instances_total", process.instances_total},
          {"routes", routes_json(process.routes)},
          {"queues", process.queues},
          {"hop_limit", run.experiment.at("hop_limit")},
          {"load_ns", run.phases.load_ns()}};
}

Json to_json(const PlannedRoute& route) {
  const bool all = route.delivery == PlannedRoute::Delivery::kAll;
  const bool one = route.delivery == PlannedRoute::Delivery::kOneOf;
  return {{"exchange", route.exchange},
          {"routing_key", route.routing_key},
          {"queues", route.queues},
          {"delivery", all   ? "all"
                       : one ? "one_of"
                             : "unknown"}};
}

Json to_json(const Plan& plan) {
  Json json = {{"name", plan.name},
               {"seed", plan.seed},
               {"repetitions", plan.repetitions},
               {"config_hash", plan.config_hash},
               {"variants", Json::object()},
               {"runs", Json::array()}};
  // In file order, whatever order was drawn: the first one is what the others are compared with.
  for (const std::string& name : plan.variants) json["variants"][name] = Json();
  for (const PlannedRun& run : plan.runs) {
    if (run.repetition == 0) json["variants"][run.variant] = run.experiment;
    json["runs"].push_back(run_json(run));
  }
  return json;
}

}  // namespace brokerlab
