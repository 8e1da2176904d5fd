#include "experiments/catalogue.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "experiments/plan.h"
#include "tests/experiments/scratch_folder.h"

namespace brokerlab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

std::vector<CatalogueEntry> everything() {
  std::vector<CatalogueEntry> entries = catalogue_experiments();
  for (const char* folder : {"planning", "known-answers"}) {
    for (const CatalogueEntry& entry : catalogue_experiments(folder)) entries.push_back(entry);
  }
  return entries;
}

PlannedRun only_run(const std::string& name) { return make_plan(load_experiments(name).front()).runs.at(0); }

std::uint64_t messages_of(const PlannedRun& run) {
  std::uint64_t messages = 0;
  for (const PlannedMessages& load : run.messages) messages += load.messages.value();
  return messages;
}

TEST(Catalogue, EveryExperimentIsValidAndSaysWhatItAsks) {
  for (const CatalogueEntry& entry : everything()) {
    SCOPED_TRACE(entry.name);
    std::vector<Experiment> experiments;
    ASSERT_NO_THROW(experiments = load_experiments(entry.name));
    EXPECT_FALSE(entry.description.empty());
    for (const Experiment& experiment : experiments) {
      EXPECT_GT(experiment.question.size(), 80u);
      ASSERT_NO_THROW(make_plan(experiment));
      if (experiments.size() > 1) continue;
      EXPECT_EQ(experiment.name, entry.file.stem().string());
    }
  }
}

TEST(Catalogue, HasTheDocumentedNames) {
  std::vector<std::string> names;
  for (const CatalogueEntry& entry : everything()) names.push_back(entry.name);
  EXPECT_THAT(names, IsSupersetOf({"fanout-vs-direct", "work-queue", "quickstart", "known-answers/r1",
                                   "known-answers/r2", "known-answers/r3", "known-answers/r4",
                                   "known-answers/a4", "known-answers/a5", "known-answers/t1",
                                   "known-answers/t1-short", "known-answers/q1", "known-answers/s1-s5",
                                   "known-answers/s1-s5-short", "known-answers/d2"}));
}

TEST(Catalogue, OnlyPrefetchWithAutomaticAcknowledgementAndLostMessagesWarn) {
  for (const CatalogueEntry& entry : everything()) {
    std::vector<std::string> codes;
    for (const Experiment& experiment : load_experiments(entry.name)) {
      for (const Problem& warning : experiment.warnings) codes.push_back(warning.code);
    }
    if (entry.name == "known-answers/r3") {
      EXPECT_THAT(codes, ElementsAre("PREFETCH_IGNORED"));
    } else if (entry.name == "known-answers/a4") {
      EXPECT_THAT(codes, ::testing::Each("UNROUTABLE"));
    } else {
      EXPECT_THAT(codes, IsEmpty()) << entry.name;
    }
  }
}

std::vector<PlannedRun> runs_of(const std::string& name, bool quick) {
  Overrides overrides;
  overrides.quick = quick;
  std::vector<PlannedRun> runs;
  for (const Experiment& experiment : load_experiments(name, overrides)) {
    for (PlannedRun& run : make_plan(experiment).runs) runs.push_back(std::move(run));
  }
  return runs;
}

// Whole, and in its short form: what a fault does must be seen before the run is over.
TEST(Catalogue, EveryFaultEndsWithinItsRun) {
  for (const CatalogueEntry& entry : everything()) {
    for (const bool quick : {false, true}) {
      for (const PlannedRun& run : runs_of(entry.name, quick)) {
        for (const PlannedFault& fault : run.faults) {
          SCOPED_TRACE(entry.name + (quick ? " --quick, " : ", ") + run.variant + ": " + fault.kind);
          EXPECT_LT(fault.at_ns, run.phases.load_ns());
          EXPECT_LT(fault.at_ns + fault.lasts_ns().value_or(0), run.phases.load_ns() + run.phases.drain_ns);
        }
      }
    }
  }
}

TEST(Catalogue, ExperimentsWithFaultsBreakWhatTheySay) {
  const auto strikes = [](const std::string& name, bool quick) {
    std::set<std::string> words;
    for (const PlannedRun& run : runs_of(name, quick)) {
      for (const PlannedFault& fault : run.faults) words.insert(fault.kind + " " + fault.target);
    }
    return words;
  };
  for (const bool quick : {false, true}) {
    EXPECT_THAT(strikes("worker-crash", quick), ElementsAre("kill worker"));
    EXPECT_THAT(strikes("cluster-node-loss", quick), ElementsAre("kill broker"));
    EXPECT_THAT(strikes("partition", quick), ElementsAre("partition broker"));
    for (const char* name : {"cluster-node-loss", "partition"}) {
      for (const PlannedRun& run : runs_of(name, quick)) {
        EXPECT_EQ(run.experiment.at("broker").at("nodes"), 3);
        EXPECT_EQ(run.processes.size(), 6U) << "a load and a worker at each node";
      }
    }
  }
  EXPECT_THAT(strikes("flaky-network", false), ElementsAre("bandwidth producer", "down all", "latency all",
                                                           "reset_peer all", "slicer all", "timeout worker"));
  EXPECT_THAT(strikes("flaky-network", true), ElementsAre("down all", "reset_peer all", "timeout worker"));
}

TEST(Catalogue, IsFoundFromAnyWorkingDirectoryAndTheUsersFileWins) {
  const std::filesystem::path before = std::filesystem::current_path();
  const ScratchFolder folder;
  std::filesystem::current_path(folder.path());
  const std::string shipped = load_experiments("work-queue").front().name;
  folder.write("work-queue.json", R"({"name": "mine"})");
  const std::string own = load_experiments("work-queue").front().name;
  const std::string known = load_experiments("known-answers/r1").front().name;
  std::filesystem::current_path(before);
  EXPECT_EQ(shipped, "work-queue");
  EXPECT_EQ(own, "mine");
  EXPECT_EQ(known, "r1");
}

TEST(Catalogue, NamesDoNotLeadElsewhere) {
  EXPECT_THROW(find_experiment("../schema/experiment.schema"), Error);
  EXPECT_THROW(find_experiment("/known-answers/r1"), Error);
  EXPECT_THROW(find_experiment(""), Error);
}

TEST(KnownAnswers, HaveTheirNumbersOfMessages) {
  EXPECT_EQ(messages_of(only_run("known-answers/r1")), 100u);
  EXPECT_EQ(messages_of(only_run("known-answers/r4")), 100u);
  EXPECT_EQ(messages_of(only_run("known-answers/a4")), 10u);
  EXPECT_EQ(messages_of(only_run("known-answers/a5")), 100u);
  EXPECT_EQ(messages_of(only_run("known-answers/t1")), 33000u);
  EXPECT_EQ(messages_of(only_run("known-answers/t1-short")), 3300u);
  EXPECT_EQ(messages_of(only_run("known-answers/d2")), 3000u);
  EXPECT_EQ(messages_of(only_run("known-answers/s1-s5")), 20000u);
  EXPECT_EQ(messages_of(only_run("known-answers/q1")), 500u);
  EXPECT_EQ(messages_of(only_run("work-queue")), 75u);
}

TEST(KnownAnswers, CopiesOfA5FollowFromTheRoutes) {
  const Plan plan = make_plan(load_experiments("known-answers/a5").front());
  EXPECT_EQ(plan.runs[0].processes[0].routes.at(0).queues.size(), 3u);
  EXPECT_EQ(plan.runs[1].processes[0].routes.at(0).queues.size(), 1u);
}

TEST(KnownAnswers, TheMessagesOfA4LeadNowhere) {
  for (const PlannedRun& run : make_plan(load_experiments("known-answers/a4").front()).runs) {
    const PlannedRoute& route = run.processes[0].routes.at(0);
    EXPECT_EQ(route.delivery, PlannedRoute::Delivery::kAll);
    EXPECT_THAT(route.queues, IsEmpty());
  }
}

TEST(KnownAnswers, StallsStayInsideTheirRun) {
  for (const char* name : {"known-answers/s1-s5", "known-answers/s1-s5-short"}) {
    const PlannedRun run = only_run(name);
    const PlannedFault& stall = run.faults.at(0);
    EXPECT_EQ(stall.target, "broker");
    EXPECT_EQ(stall.kind, "pause");
    // The share of messages due during the stall is the documented tenth.
    EXPECT_DOUBLE_EQ(static_cast<double>(*stall.duration_ns) / static_cast<double>(run.phases.measure_ns),
                     0.1);
    EXPECT_LT(stall.at_ns + 3 * *stall.duration_ns, run.phases.measure_ns);
  }
}

TEST(FanoutVsDirect, GivesBothVariantsTheSameSubmissions) {
  const Plan plan = make_plan(load_experiments("fanout-vs-direct").front());
  ASSERT_EQ(plan.runs.size(), 2u);
  EXPECT_EQ(plan.runs[0].seed, plan.runs[1].seed);
  EXPECT_EQ(plan.runs[0].experiment["load"], plan.runs[1].experiment["load"]);
  EXPECT_EQ(plan.runs[0].processes[0].routes.at(0).queues.size(), 2u);
  std::size_t lost = 0;
  for (const PlannedRoute& route : plan.runs[1].processes[0].routes) lost += route.queues.empty() ? 1 : 0;
  EXPECT_EQ(lost, 1u);  // key2 of two
  EXPECT_EQ(messages_of(plan.runs[0]), 4800u);
}

// Half a minute must hold a boot of some 10 s, four runs with start and drain, and the report.
TEST(Quickstart, LeavesTimeForTheBroker) {
  double load_s = 0;
  for (const Experiment& experiment : load_experiments("quickstart")) {
    for (const PlannedRun& run : make_plan(experiment).runs) {
      load_s += static_cast<double>(run.phases.load_ns()) / 1e9;
    }
  }
  EXPECT_LE(load_s, 10);
}

}  // namespace
}  // namespace brokerlab
