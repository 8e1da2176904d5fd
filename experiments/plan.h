#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "experiments/experiment.h"

namespace brokerlab {

// Where messages of one exchange and routing key lead, as far as the bindings tell beforehand.
struct PlannedRoute {
  enum class Delivery {
    kAll,      // a copy to each of `queues`
    kOneOf,    // a copy to one of `queues` (consistent hash and its like)
    kUnknown,  // the key or the exchange's rule is not known beforehand; `queues` is empty
  };
  std::string exchange;
  std::string routing_key;
  std::vector<std::string> queues;  // none with kAll: unroutable
  Delivery delivery = Delivery::kAll;
};

struct PlannedInstance {
  int index = 0;                           // over all processes of the entry
  std::string name;                        // "<entry>-<index>"
  std::optional<std::uint32_t> publisher;  // unique within the run; of loads and of roles that publish
  std::string queue;                       // of roles: what it consumes, "{i}" replaced
};

// One child process: some of the instances of one entry of "load", "churn" or "roles".
struct PlannedProcess {
  enum class Kind { kLoad, kChurn, kRole };
  Kind kind = Kind::kLoad;
  std::string name;     // "<entry>-<number>", unique within the run; also the name of its recording
  std::string entry;    // the load's or role's name
  int entry_index = 0;  // in the experiment's list of its kind
  int number = 0;       // among the processes of its entry
  int instances_total = 0;
  std::vector<PlannedInstance> instances;
  std::vector<PlannedRoute> routes;  // empty where the keys are not known beforehand
  std::vector<std::string> queues;   // that it publishes to (by its routes) or consumes from
};

struct PlannedPhases {
  Nanoseconds warmup_ns = 0;
  Nanoseconds measure_ns = 0;
  Nanoseconds drain_ns = 0;
  Nanoseconds load_ns() const { return warmup_ns + measure_ns; }
};

// One strike of a fault: one that repeats is as many of these.
struct PlannedFault {
  Nanoseconds at_ns = 0;  // from the start of the load
  std::string kind;       // see experiments/fault_kind.h
  std::string target;     // "broker", the name of a role or load, or a queue as the broker knows it
  std::string mode;       // one, all
  int instance = 0;       // mode "one": the process of the target, or the broker's node
  std::vector<std::string> processes;  // names of the processes it hits; empty for the broker
  std::optional<Nanoseconds> duration_ns;
  std::optional<Nanoseconds> restart_after_ns;
  int strike = 0;  // of a fault that repeats: which one, from 0
  int times = 1;   // how many there are
  std::optional<Nanoseconds> every_ns;
  std::uint64_t seed = 0;  // of the run
  Json settings;           // the entry of "faults", for what only some kinds have

  // From its start to its end; nothing for what is over at once or lasts until the end of the run.
  std::optional<Nanoseconds> lasts_ns() const { return duration_ns ? duration_ns : restart_after_ns; }
};

// How many messages one load will publish, over all of its instances.
struct PlannedMessages {
  std::string load;
  std::optional<std::uint64_t>
      messages;  // nothing where it depends on the broker (closed loop without a count)
};

// One variant once.
struct PlannedRun {
  std::string variant;
  int repetition = 0;      // from 0
  int order = 0;           // position in the plan, from 0
  std::uint64_t seed = 0;  // the same for all variants of a repetition, so that they get the same submissions
  Json experiment;         // the variant's, defaults filled in
  Json topology;           // experiment["topology"]
  std::string directory;   // of the experiment file
  PlannedPhases phases;
  std::vector<PlannedProcess> processes;  // loads first, in file order
  // For exchanges whose keys are not known beforehand: where any key leads (its routing_key is empty).
  std::vector<PlannedRoute> other_keys;
  std::vector<PlannedMessages> messages;  // one per load
  std::vector<PlannedFault> faults;       // by time
};

// What will be done, in the order in which it will be done.
struct Plan {
  std::string name;
  std::uint64_t seed = 1;
  int repetitions = 1;
  // SHA-256 over what is measured: the merged variants with defaults and the data files' digests, but not
  // seed, repetitions, texts, charts and thresholds. Two results with the same hash measured the same thing.
  std::string config_hash;
  std::vector<std::string> variants;  // in file order
  std::vector<PlannedRun> runs;
};

// One run of a variant, which may be one that the experiment does not list; not yet in any order.
PlannedRun plan_run(const Experiment& experiment, const Variant& variant, int repetition);

// Pure. Of a search the first trial of each variant; the others follow from those
// (experiments/search_plan.h). With several repetitions in randomised complete blocks: every variant once per
// repetition, in an order drawn by the seed; with one repetition in file order.
Plan make_plan(const Experiment& experiment);

// An experiment that is no comparison and has no end of its own: a role by hand. Its messages are not counted
// beforehand, and nothing is broken on purpose.
PlannedRun plan_by_hand(const Json& experiment, const std::string& directory, std::uint64_t seed);

// The part of a process's assignment (ARCHITECTURE.md) that follows from the plan: everything but "run",
// "broker" and "recording".
Json assignment(const PlannedRun& run, const PlannedProcess& process);

// {exchange, routing_key, queues, delivery: "all", "one_of" or "unknown"}.
Json to_json(const PlannedRoute& route);

// The plan as it stands in result.json.
Json to_json(const Plan& plan);

}  // namespace brokerlab
