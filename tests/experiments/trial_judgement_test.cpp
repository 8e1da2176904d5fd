#include "experiments/trial_judgement.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "experiments/experiment.h"
#include "experiments/search_plan.h"

namespace brokerlab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Json document(const char* patch = "{}") {
  Json experiment = Json::parse(R"({
    "name": "x", "topology": {"queues": [{"name": "q"}]},
    "load": [{"name": "emitter", "arrivals": {"process": "constant", "rate": 100}, "publish": {"routing_key": "q"}}],
    "roles": [{"role": "worker", "consume": {"queue": "q"}}],
    "phases": {"measure": "2s"},
    "search": {"conditions": ["end_to_end.p99 < 50ms"]}})");
  merge_patch(experiment, Json::parse(patch));
  return experiment;
}

// A trial in which nothing is amiss.
Json trial(const char* patch = "{}") {
  Json run = Json::parse(R"({
    "variant": "rate=100", "repetition": 0, "aborted": false, "drained": true,
    "verdict": {"status": "valid", "reasons": []},
    "latency": {"end_to_end": {"count": 2000, "p99_ns": 4000000, "max_ns": 90000000},
                "send_delay": {"count": 2000, "p99_ns": 100000, "max_ns": 200000}},
    "backlog": {"growth_per_s": 0.3, "growth_share": 0.003},
    "ledger": {"lost": 0}, "flags": []})");
  merge_patch(run, Json::parse(patch));
  return run;
}

Json failing(std::initializer_list<const char*> flags) {
  Json list = Json::array();
  for (const char* flag : flags)
    list.push_back({{"name", flag}, {"state", "fail"}, {"reason", std::string(flag) + " it was: so"}});
  return list;
}

TrialVerdict judged(const Json& run, const char* patch = "{}") {
  const Experiment experiment = make_experiment(document(patch), "x");
  const Json& variant = experiment.variants.front().experiment;
  return TrialJudgement(variant, SearchSpec(variant)).judge(run);
}

// The same trial, with flags.
TrialOutcome outcome_of(Json run, std::initializer_list<const char*> flags, const char* patch = "{}") {
  run["flags"] = failing(flags);
  return judged(run, patch).outcome;
}

const Json kGrowing = Json::parse(R"({"backlog": {"growth_per_s": 12.3, "growth_share": 0.05}})");

TEST(TrialJudgement, ATrialThatKeepsEverythingIsSustained) {
  const TrialVerdict verdict = judged(trial());
  EXPECT_EQ(verdict.outcome, TrialOutcome::kSustained);
  EXPECT_THAT(verdict.reasons, IsEmpty());
  // Whatever the host went through: it has done no harm.
  EXPECT_EQ(outcome_of(trial(), {"CPU_PRESSURE", "GENERATOR_BOUND", "HICCUP"}), TrialOutcome::kSustained);
}

TEST(TrialJudgement, SaysWhatWasMissed) {
  const auto reasons = [](const char* patch) { return judged(trial(patch)).reasons; };
  EXPECT_THAT(reasons(R"({"backlog": {"growth_per_s": 12.3, "growth_share": 0.05}})"),
              ElementsAre("the backlog grew by 12.3/s, 5 % of what was published"));
  EXPECT_THAT(reasons(R"({"latency": {"end_to_end": {"p99_ns": 83000000}}})"),
              ElementsAre("end_to_end.p99 < 50ms does not hold: 83 ms"));
  EXPECT_THAT(reasons(R"({"ledger": {"lost": 3}})"), ElementsAre("3 messages were lost"));
  EXPECT_THAT(reasons(R"({"drained": false, "verdict": {"status": "unknown", "reasons": ["not drained"]}})"),
              ElementsAre("the queues were not drained in time"));
  // By more than 5 % of two seconds.
  EXPECT_THAT(reasons(R"({"latency": {"send_delay": {"p99_ns": 110000000}}})"),
              ElementsAre("messages left up to 110 ms late"));
  EXPECT_EQ(judged(trial(R"({"ledger": {"lost": 3}})")).outcome, TrialOutcome::kNotSustained);
}

TEST(TrialJudgement, TheBrokerIsNotBlamedForTheGeneratorOrTheHost) {
  Json growing = trial();
  growing.update(kGrowing);
  EXPECT_EQ(outcome_of(growing, {}), TrialOutcome::kNotSustained);
  for (const char* suspect : {"GENERATOR_BOUND", "LATE_CATCHUP", "CPU_PRESSURE", "CPU_STEAL"})
    EXPECT_EQ(outcome_of(growing, {suspect}), TrialOutcome::kUndecided) << suspect;
  // A publisher that waits for the broker is late, but not by itself.
  for (const char* held : {"CONFIRM_WINDOW_HIT", "WRITE_BLOCKED", "CONNECTION_BLOCKED"})
    EXPECT_EQ(outcome_of(growing, {"GENERATOR_BOUND", "LATE_CATCHUP", held}), TrialOutcome::kNotSustained);
  // A stall of the host makes messages late. It lets no backlog grow through the whole load.
  EXPECT_EQ(outcome_of(growing, {"HICCUP"}), TrialOutcome::kNotSustained);
  EXPECT_EQ(outcome_of(trial(R"({"latency": {"end_to_end": {"p99_ns": 83000000}}})"), {"HICCUP"}),
            TrialOutcome::kUndecided);
  growing["flags"] = failing({"CPU_PRESSURE"});
  EXPECT_THAT(judged(growing).reasons, ElementsAre(StartsWith("the backlog grew"), "CPU_PRESSURE it was"));
}

TEST(TrialJudgement, TheMachineMayBelongToWhatIsTested) {
  constexpr const char* kMachine = R"({"search": {"limit_of": "machine"}})";
  Json growing = trial();
  growing.update(kGrowing);
  EXPECT_EQ(outcome_of(growing, {"CPU_PRESSURE"}, kMachine), TrialOutcome::kNotSustained);
  EXPECT_EQ(outcome_of(growing, {"CPU_PRESSURE", "GENERATOR_BOUND"}, kMachine), TrialOutcome::kNotSustained);
  // Its processors had time left: the generator did not use them.
  EXPECT_EQ(outcome_of(growing, {"GENERATOR_BOUND"}, kMachine), TrialOutcome::kUndecided);
}

TEST(TrialJudgement, WhatWasNotMeasuredIsUndecided) {
  EXPECT_EQ(judged(trial(R"({"backlog": null})")).outcome, TrialOutcome::kUndecided);
  // Too few samples for a percentile; the greatest of them may do.
  EXPECT_EQ(judged(trial(R"({"latency": {"end_to_end": {"p99_ns": null}}})")).outcome,
            TrialOutcome::kUndecided);
  EXPECT_EQ(judged(trial(R"({"latency": {"end_to_end": {"p99_ns": null, "max_ns": 40000000}}})")).outcome,
            TrialOutcome::kSustained);
  const Json broken = trial(R"({"verdict": {"status": "unknown", "reasons": ["worker-0 died"]}})");
  EXPECT_EQ(judged(broken).outcome, TrialOutcome::kUndecided);
  EXPECT_THAT(judged(broken).reasons, ElementsAre("worker-0 died"));
}

TEST(TrialJudgement, AConditionReplacesTheOneThatGoesWithoutSaying) {
  Json growing = trial();
  growing.update(kGrowing);
  EXPECT_EQ(judged(growing, R"({"search": {"conditions": ["backlog.growth_share < 10%"]}})").outcome,
            TrialOutcome::kSustained);
  EXPECT_EQ(judged(growing, R"({"search": {"conditions": ["backlog.growth_per_s < 12"]}})").outcome,
            TrialOutcome::kNotSustained);
  EXPECT_EQ(judged(growing, R"({"search": {"conditions": ["ledger.lost < 5"]}})").outcome,
            TrialOutcome::kNotSustained);
}

std::string refusal(const char* patch) {
  try {
    make_experiment(document(patch), "x");
  } catch (const ExperimentError& error) {
    std::string all;
    for (const Problem& problem : error.problems()) all += problem.text() + "\n";
    return all;
  }
  return "accepted";
}

TEST(SearchSpec, RefusesWhatCannotBeSearched) {
  EXPECT_EQ(refusal("{}"), "accepted");
  EXPECT_THAT(refusal(R"({"search": {"loads": ["emiter"]}})"), HasSubstr("did you mean \"emitter\"?"));
  EXPECT_THAT(refusal(R"({"load": {"0": {"arrivals": {"process": "closed", "rate": null}}}})"),
              HasSubstr("no load whose rate could be searched for"));
  EXPECT_THAT(refusal(R"({"load": {"0": {"arrivals": {"process": "closed", "rate": null}}},
                          "search": {"loads": ["emitter"]}})"),
              HasSubstr("only constant and poisson arrivals have one"));
  EXPECT_THAT(refusal(R"({"load": {"0": {"stop": {"count": 5}}}})"),
              HasSubstr("as long as the measure phase"));
  EXPECT_THAT(refusal(R"({"search": {"to": 50}})"), HasSubstr("end at 50 and begins at 100"));
  EXPECT_THAT(refusal(R"({"search": {"to": 20000000}})"), HasSubstr("at most 10,000,000"));
  EXPECT_THAT(refusal(R"({"repetitions": 3})"), HasSubstr("a search repeats its trials itself"));
  EXPECT_THAT(refusal(R"({"search": {"conditions": ["end_to_end.p9 < 1s"]}})"), HasSubstr("unknown metric"));
  EXPECT_THAT(refusal(R"({"search": {"conditions": ["search.sustained_per_s > 1"]}})"),
              HasSubstr("put it into \"thresholds\""));
  EXPECT_THAT(refusal(R"({"thresholds": ["ledger.lost == 0"]})"),
              HasSubstr("thresholds are about what it comes to"));
  EXPECT_THAT(refusal(R"({"search": null, "thresholds": ["search.sustained_per_s > 1"]})"),
              HasSubstr("there is none"));
  EXPECT_EQ(refusal(R"({"thresholds": ["search.sustained_per_s >= 1000"]})"), "accepted");
}

TEST(SearchSpec, AnyExperimentBecomesASearch) {
  Json ordinary = document(R"({"search": null, "repetitions": 5,
    "thresholds": ["end_to_end.p99 < 1s", {"expression": "ledger.returned == 0", "abort": true}]})");
  Overrides overrides;
  overrides.search = Json{{"from", 10}};
  const Experiment experiment = make_experiment(ordinary, "x", overrides);
  EXPECT_TRUE(experiment.thresholds.empty());
  EXPECT_EQ(experiment.repetitions, 1);
  const SearchSpec spec(experiment.variants.front().experiment);
  EXPECT_EQ(spec.range().from, 10);
  EXPECT_THAT(spec.conditions(), ElementsAre("ledger.lost == 0", "backlog.growth_share <= 2%",
                                             "end_to_end.p99 < 1s", "ledger.returned == 0"));
}

TEST(SearchPlan, NamesTrialsApartThatHaveLongNames) {
  const std::string long_name(60, 'a');
  EXPECT_EQ(trial_name("default", 4000), "rate=4000");
  EXPECT_EQ(trial_name("quorum", 12.5), "quorum,rate=12.5");
  EXPECT_EQ(trial_name("quorum", 1.25e6), "quorum,rate=1250000");
  EXPECT_LE(trial_name(long_name + "b", 400).size(), 64U);
  EXPECT_NE(trial_name(long_name + "b", 400), trial_name(long_name + "c", 400));
}

}  // namespace
}  // namespace brokerlab
