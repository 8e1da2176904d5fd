#include "experiments/plan.h"

#include <gmock/gmock.h>

#include <set>

#include "core/error.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr char kPipeline[] = R"({
  "name": "pipeline",
  "topology": {
    "exchanges": [{"name": "e", "type": "direct"}, {"name": "h", "type": "headers"}, {"name": "all", "type": "fanout"}],
    "queues": [{"name": "in-{i}", "copies": 3}, {"name": "out"}],
    "bindings": [{"exchange": "e", "queue": "in-{i}", "routing_key": "k{i}"}, {"exchange": "e", "queue": "out", "routing_key": "k1"},
                 {"exchange": "h", "queue": "out"}, {"exchange": "all", "queue": "out"}]
  },
  "load": [
    {"name": "p", "instances": 5, "processes": 2, "arrivals": {"process": "constant", "rate": 10},
     "publish": {"exchange": "e", "routing_key": {"choice": ["k0", "k1", "lost"]}}},
    {"name": "closed", "arrivals": {"process": "closed"}, "publish": {"exchange": "all", "routing_key": {"template": "{random:1-100000}"}}}
  ],
  "roles": [
    {"role": "w", "instances": 3, "processes": 3, "consume": {"queue": "in-{i}"}, "publish": {"routing_key": "out"}},
    {"role": "sink", "instances": 2, "consume": {"queue": "out"}}
  ],
  "faults": [{"at": "3s", "kind": "pause", "target": "broker", "duration": "500ms"},
             {"at": "1s", "kind": "kill", "target": "w", "instance": 1, "restart_after": "1s"},
             {"at": "2s", "kind": "stop", "target": "w", "mode": "all"}],
  "phases": {"warmup": "1s", "measure": "4s", "drain": "2s"}
})";

Plan plan_of(const std::string& text, const Overrides& overrides = {}) {
  return make_plan(load_text(ScratchFolder(), text, overrides));
}

TEST(Plan, SpreadsInstancesOverProcesses) {
  const Plan plan = plan_of(kPipeline);
  ASSERT_EQ(plan.runs.size(), 1u);
  std::vector<std::string> names;
  std::vector<std::size_t> instances;
  for (const PlannedProcess& process : plan.runs[0].processes) {
    names.push_back(process.name);
    instances.push_back(process.instances.size());
  }
  EXPECT_THAT(names, ElementsAre("p-0", "p-1", "closed-0", "w-0", "w-1", "w-2", "sink-0"));
  EXPECT_THAT(instances, ElementsAre(2u, 3u, 1u, 1u, 1u, 1u, 2u));
}

TEST(Plan, NumbersInstancesAndPublishersOnce) {
  const Plan plan = plan_of(kPipeline);
  std::vector<std::uint32_t> publishers;
  std::vector<std::string> names, queues;
  for (const PlannedProcess& process : plan.runs[0].processes) {
    for (const PlannedInstance& instance : process.instances) {
      names.push_back(instance.name);
      if (instance.publisher) publishers.push_back(*instance.publisher);
      if (!instance.queue.empty()) queues.push_back(instance.queue);
    }
  }
  EXPECT_THAT(names, ElementsAre("p-0", "p-1", "p-2", "p-3", "p-4", "closed-0", "w-0", "w-1", "w-2", "sink-0",
                                 "sink-1"));
  EXPECT_THAT(publishers, ElementsAre(0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u));  // the sinks publish nothing
  EXPECT_THAT(queues, ElementsAre("in-0", "in-1", "in-2", "out", "out"));
}

TEST(Plan, TellsWhereRoutesLead) {
  const PlannedRun run = plan_of(kPipeline).runs[0];
  const std::vector<PlannedRoute>& routes = run.processes[0].routes;
  ASSERT_EQ(routes.size(), 3u);
  EXPECT_EQ(routes[0].routing_key, "k0");
  EXPECT_THAT(routes[0].queues, ElementsAre("in-0"));
  EXPECT_THAT(routes[1].queues, ElementsAre("in-1", "out"));
  EXPECT_THAT(routes[2].queues, IsEmpty());  // unroutable, and known to be
  EXPECT_EQ(routes[2].delivery, PlannedRoute::Delivery::kAll);
  EXPECT_THAT(run.processes[0].queues, ElementsAre("in-0", "in-1", "out"));
  EXPECT_THAT(run.processes[3].routes.at(0).queues, ElementsAre("out"));
  EXPECT_THAT(run.processes[3].queues, ElementsAre("in-0"));  // of a role: what it consumes from
}

TEST(Plan, TellsWhereAnyKeyLeads) {
  const PlannedRun run = plan_of(kPipeline).runs[0];
  EXPECT_THAT(run.processes[2].routes, IsEmpty());
  ASSERT_EQ(run.other_keys.size(), 1u);
  EXPECT_EQ(run.other_keys[0].exchange, "all");
  EXPECT_THAT(run.other_keys[0].queues, ElementsAre("out"));
  EXPECT_EQ(run.other_keys[0].delivery, PlannedRoute::Delivery::kAll);
}

TEST(Plan, KnowsWhatItCannotKnow) {
  std::string text = kPipeline;
  text.replace(text.find("\"exchange\": \"all\", \"routing_key\""), 17, "\"exchange\": \"h\"");
  const PlannedRun run = plan_of(text).runs[0];
  ASSERT_EQ(run.other_keys.size(), 1u);
  EXPECT_EQ(run.other_keys[0].delivery, PlannedRoute::Delivery::kUnknown);
}

TEST(Plan, ConsistentHashGoesToOneOfItsQueues) {
  const PlannedRun run = plan_of(R"({"name": "x", "topology": {
    "exchanges": [{"name": "hash", "type": "x-consistent-hash"}], "queues": [{"name": "q-{i}", "copies": 2}],
    "bindings": [{"exchange": "hash", "queue": "q-{i}", "routing_key": "1"}]},
    "load": [{"name": "a", "publish": {"exchange": "hash", "routing_key": "k"}},
             {"name": "b", "publish": {"exchange": "hash", "routing_key": {"template": "{sequence}"}}}]})")
                             .runs[0];
  EXPECT_EQ(run.processes[0].routes.at(0).delivery, PlannedRoute::Delivery::kOneOf);
  EXPECT_THAT(run.processes[0].routes.at(0).queues, ElementsAre("q-0", "q-1"));
  EXPECT_EQ(run.other_keys.at(0).delivery, PlannedRoute::Delivery::kOneOf);
}

TEST(Plan, PhasesMessagesAndFaults) {
  const PlannedRun run = plan_of(kPipeline).runs[0];
  EXPECT_EQ(run.phases.warmup_ns, 1'000'000'000);
  EXPECT_EQ(run.phases.load_ns(), 5'000'000'000);
  EXPECT_EQ(run.phases.drain_ns, 2'000'000'000);
  ASSERT_EQ(run.messages.size(), 2u);
  EXPECT_EQ(run.messages[0].messages, 5u * 10 * 5);
  EXPECT_EQ(run.messages[1].messages, std::nullopt);
  ASSERT_EQ(run.faults.size(), 3u);
  EXPECT_EQ(run.faults[0].kind, "kill");  // by time, not as written
  EXPECT_THAT(run.faults[0].processes, ElementsAre("w-1"));
  EXPECT_EQ(run.faults[0].restart_after_ns, 1'000'000'000);
  EXPECT_THAT(run.faults[1].processes, ElementsAre("w-0", "w-1", "w-2"));
  EXPECT_EQ(run.faults[2].target, "broker");
  EXPECT_THAT(run.faults[2].processes, IsEmpty());
  EXPECT_EQ(run.faults[2].duration_ns, 500'000'000);
}

TEST(Plan, AFaultThatRepeatsIsAsManyStrikes) {
  const PlannedRun run = plan_of(R"({
    "name": "x", "topology": {"queues": [{"name": "q"}]}, "roles": [{"role": "w", "consume": {"queue": "q"}}],
    "faults": [{"at": "1s", "kind": "kill", "target": "w", "every": "2s", "times": 3, "restart_after": "100ms"},
               {"at": "2s", "kind": "stop", "target": "w"}]})")
                             .runs[0];
  std::vector<std::pair<std::string, Nanoseconds>> strikes;
  for (const PlannedFault& fault : run.faults) strikes.emplace_back(fault.kind, fault.at_ns / 1'000'000'000);
  EXPECT_THAT(strikes, ElementsAre(std::pair("kill", 1), std::pair("stop", 2), std::pair("kill", 3),
                                   std::pair("kill", 5)));
  EXPECT_EQ(run.faults[3].strike, 2);
  EXPECT_EQ(run.faults[3].times, 3);
}

TEST(Plan, AssignmentsAreThoseOfTheArchitecture) {
  const PlannedRun run = plan_of(kPipeline).runs[0];
  const Json load = assignment(run, run.processes[1]);
  EXPECT_EQ(load["kind"], "load");
  EXPECT_EQ(load["process"], "p-1");
  EXPECT_EQ(load["seed"], run.seed);
  EXPECT_EQ(load["spec"]["name"], "p");
  EXPECT_EQ(load["spec"]["confirms"]["window"], 1000);  // defaults filled in
  EXPECT_EQ(load["instances"][0], Json::parse(R"({"index": 2, "name": "p-2", "publisher": 2})"));
  EXPECT_EQ(load["instances_total"], 5);
  EXPECT_EQ(load["routes"][1],
            Json::parse(R"({"exchange": "e", "routing_key": "k1", "queues": ["in-1", "out"],
                                               "delivery": "all"})"));
  EXPECT_EQ(load["load_ns"], 5'000'000'000);
  EXPECT_FALSE(load["directory"].get<std::string>().empty());
  const Json role = assignment(run, run.processes[4]);
  EXPECT_EQ(role["kind"], "role");
  EXPECT_EQ(role["instances"][0],
            Json::parse(R"({"index": 1, "name": "w-1", "publisher": 7, "queue": "in-1"})"));
  EXPECT_EQ(role["queues"], Json::parse(R"(["in-1"])"));
  for (const char* of_the_run : {"run", "broker", "recording"}) EXPECT_FALSE(role.contains(of_the_run));
}

constexpr char kVariants[] = R"({"name": "x", "seed": 42, "repetitions": 6,
  "variants": {"a": {}, "b": {"phases": {"measure": "2s"}}, "c": {"phases": {"measure": "3s"}}, "d": {"phases": {"measure": "4s"}}}})";

TEST(Order, OneRepetitionKeepsTheFilesOrder) {
  Overrides once;
  once.repetitions = 1;
  std::vector<std::string> order;
  for (const PlannedRun& run : plan_of(kVariants, once).runs) order.push_back(run.variant);
  EXPECT_THAT(order, ElementsAre("a", "b", "c", "d"));
}

TEST(Order, SeveralRepetitionsAreRandomisedCompleteBlocks) {
  const Plan plan = plan_of(kVariants);
  ASSERT_EQ(plan.runs.size(), 24u);
  std::set<std::vector<std::string>> blocks;
  std::set<std::uint64_t> seeds;
  for (int block = 0; block < 6; ++block) {
    std::vector<std::string> order;
    for (int i = 0; i < 4; ++i) {
      const PlannedRun& run = plan.runs[static_cast<std::size_t>(block * 4 + i)];
      EXPECT_EQ(run.repetition, block);
      EXPECT_EQ(run.order, block * 4 + i);
      EXPECT_EQ(run.seed, plan.runs[static_cast<std::size_t>(block * 4)].seed);  // the same submissions
      order.push_back(run.variant);
      seeds.insert(run.seed);
    }
    EXPECT_THAT(order, UnorderedElementsAre("a", "b", "c", "d"));
    blocks.insert(order);
  }
  EXPECT_GT(blocks.size(), 2u);
  EXPECT_EQ(seeds.size(), 6u);
  EXPECT_EQ(plan.runs[0].seed, 42u);  // so that --seed repeats a plain run
}

TEST(Order, FollowsFromTheSeed) {
  const auto order_by = [](std::uint64_t seed) {
    Overrides overrides;
    overrides.seed = seed;
    std::string order;
    for (const PlannedRun& run : plan_of(kVariants, overrides).runs) order += run.variant;
    return order;
  };
  EXPECT_EQ(order_by(1), order_by(1));
  EXPECT_NE(order_by(1), order_by(2));
}

std::string hash_of(const std::string& text) { return plan_of(text).config_hash; }

TEST(ConfigHash, IsOfWhatIsMeasured) {
  const std::string plain = R"({"name": "x", "phases": {"measure": "2s"}})";
  EXPECT_EQ(hash_of(plain).size(), 64u);
  EXPECT_EQ(hash_of(plain), hash_of(R"({"phases": {"measure": "2s"}, "name": "x", "seed": 9, "repetitions": 2,
                                       "question": "?", "thresholds": ["ledger.lost == 0"]})"));
  EXPECT_EQ(hash_of(plain),
            hash_of(R"({"name": "x", "phases": {"measure": "2s", "drain": "30s"}})"));  // the default
  EXPECT_NE(hash_of(plain), hash_of(R"({"name": "x", "phases": {"measure": "3s"}})"));
  EXPECT_NE(hash_of(plain), hash_of(R"({"name": "x", "phases": {"measure": "2s"}, "variants": {"a": {}}})"));
}

TEST(ConfigHash, CoversDataFiles) {
  const std::string text = R"({"name": "x", "topology": {"queues": [{"name": "q"}]},
    "load": [{"name": "p", "publish": {"routing_key": "q", "body": {"csv": "tasks.csv"}}}]})";
  const ScratchFolder folder;
  folder.write("tasks.csv", "a\n");
  const std::string before = make_plan(load_text(folder, text)).config_hash;
  EXPECT_EQ(make_plan(load_text(folder, text)).config_hash, before);
  folder.write("tasks.csv", "b\n");
  EXPECT_NE(make_plan(load_text(folder, text)).config_hash, before);
}

TEST(Plan, RefusesMoreMessagesThanARecordingCanNumber) {
  try {
    plan_of(R"({"name": "x", "topology": {"queues": [{"name": "q"}]}, "phases": {"measure": "1h"},
      "load": [{"name": "p", "arrivals": {"process": "constant", "rate": 2000000}, "publish": {"routing_key": "q"}}]})");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_THAT(error.summary(), HasSubstr("2^32"));
  }
}

TEST(Plan, AsJsonHoldsEachVariantOnceAndEveryRun) {
  const Json json = to_json(plan_of(kVariants));
  EXPECT_EQ(json["runs"].size(), 24u);
  EXPECT_EQ(json["variants"].size(), 4u);
  EXPECT_EQ(json["variants"]["b"]["phases"]["measure"], "2s");
  EXPECT_EQ(json["config_hash"].get<std::string>().size(), 64u);
}

}  // namespace
}  // namespace brokerlab
