#include "analysis/known_answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "analysis/answer_sheet.h"
#include "analysis/stall_law.h"
#include "core/histogram.h"

namespace brokerlab {
namespace {

using Rule = KnownAnswer::Rule;

KnownAnswer answer(Rule rule, double expected, double tolerance, std::optional<double> measured) {
  return {"X", "something", "ms", rule, expected, tolerance, measured};
}

TEST(KnownAnswer, HoldsWithinItsToleranceAndNowhereElse) {
  EXPECT_TRUE(answer(Rule::kExact, 20, 0, 20).ok());
  EXPECT_FALSE(answer(Rule::kExact, 20, 0, 20.0001).ok());
  EXPECT_TRUE(answer(Rule::kWithinShare, 900, 0.03, 926).ok());
  EXPECT_FALSE(answer(Rule::kWithinShare, 900, 0.03, 928).ok());
  EXPECT_TRUE(answer(Rule::kWithin, 0.1, 0.01, 0.091).ok());
  EXPECT_FALSE(answer(Rule::kWithin, 0.1, 0.01, 0.111).ok());
  EXPECT_TRUE(answer(Rule::kAtMost, 2, 0, 2).ok());
  EXPECT_FALSE(answer(Rule::kAtMost, 2, 0, 2.1).ok());
  EXPECT_FALSE(answer(Rule::kAtLeast, 0.99, 0, 0.98).ok());
}

TEST(KnownAnswer, WhatWasNotMeasuredIsNoPass) {
  for (const Rule rule : {Rule::kExact, Rule::kWithinShare, Rule::kWithin, Rule::kAtMost, Rule::kAtLeast}) {
    EXPECT_FALSE(answer(rule, 0, 1, std::nullopt).ok());
    EXPECT_FALSE(answer(rule, 0, 1, std::nan("")).ok());
  }
  EXPECT_EQ(answer(Rule::kExact, 0, 0, std::nullopt).measured_text(), "not measured");
  EXPECT_TRUE(to_json(answer(Rule::kExact, 0, 0, std::nullopt)).at("measured").is_null());
}

TEST(KnownAnswer, ReadsLikeASentence) {
  EXPECT_EQ(answer(Rule::kWithinShare, 900, 0.03, 912.34567).expected_text(), "900 ms");
  EXPECT_EQ(answer(Rule::kWithinShare, 900, 0.03, 912.34567).tolerance_text(), "3 %");
  EXPECT_EQ(answer(Rule::kWithinShare, 900, 0.03, 912.34567).measured_text(), "912.35 ms");
  EXPECT_EQ(answer(Rule::kAtMost, 2, 0, 1).expected_text(), "at most 2 ms");
}

// The figures of the specification, in ms.
TEST(StallLaw, SaysWhatAStallDoes) {
  const StallLaw s1{2000, 20'000, 0, 0.5};
  EXPECT_DOUBLE_EQ(s1.affected_share(), 0.1);
  EXPECT_DOUBLE_EQ(s1.mean(), 100.5);
  EXPECT_DOUBLE_EQ(s1.quantile(0.5), 0.5);
  EXPECT_NEAR(s1.quantile(0.99), 1800, 1e-9);
  EXPECT_NEAR(s1.quantile(0.999), 1980, 1e-9);
  const StallLaw s2{2000, 20'000, 0.25, 0.5};
  EXPECT_NEAR(s2.affected_share(), 0.13333, 1e-5);
  EXPECT_NEAR(s2.mean(), 133.83, 0.01);
  EXPECT_NEAR(s2.quantile(0.9), 500, 1e-9);
  EXPECT_NEAR(s2.quantile(0.99), 1850, 1e-9);
  EXPECT_NEAR(s2.quantile(0.999), 1985, 1e-9);
}

Json pushed(std::int64_t first, std::int64_t second, std::int64_t busy_ms) {
  return {{"experiment", "r1"},
          {"runs", Json::array({{{"variant", "default"},
                                 {"makespan_ns", 912'000'000},
                                 {"fairness",
                                  {{"by_busy_time", {{"jain", 0.6098}}},
                                   {"consumers",
                                    {{{"messages", first}, {"busy_ns", busy_ms * 1'000'000}},
                                     {{"messages", second}, {"busy_ns", 100'000'000}}}}}}}})}};
}

std::vector<std::string> failures(const std::vector<KnownAnswer>& answers) {
  std::vector<std::string> names;
  for (const KnownAnswer& one : answers)
    if (!one.ok()) names.push_back(one.what);
  return names;
}

TEST(KnownAnswers, AreReadFromTheResultOfTheirExperiment) {
  EXPECT_THAT(failures(known_answers(pushed(50, 50, 905))), testing::IsEmpty());
  EXPECT_EQ(known_answers(pushed(50, 50, 905)).size(), 5u);
  EXPECT_THAT(failures(known_answers(pushed(51, 49, 950))),
              testing::ElementsAre("tasks of the first worker", "tasks of the second worker",
                                   "busy time of the busier worker"));
  EXPECT_TRUE(known_answers({{"experiment", "quickstart"}, {"runs", Json::array()}}).empty());
}

TEST(KnownAnswers, EachExperimentHasASheetAndFailsWithoutItsRuns) {
  for (const KnownAnswerExperiment& one : known_answer_experiments()) {
    const std::filesystem::path file = std::filesystem::path(BROKERLAB_SOURCE_DIR) / "experiments/catalogue" /
                                       (std::string(one.experiment) + ".json");
    EXPECT_TRUE(std::filesystem::exists(file)) << file;
    const std::vector<KnownAnswer> answers =
        known_answers({{"experiment", file.stem()}, {"runs", Json::array()}});
    EXPECT_FALSE(answers.empty()) << one.experiment;
    EXPECT_EQ(failures(answers).size(), answers.size()) << one.experiment;
  }
}

// 100 tasks/s for 10 s, and a stall of 1 s: who is due x into it waits 1 s - x (1 - rho).
Json stalled(double rho, double lengthened_by) {
  Histogram ages;
  for (int i = 0; i < 1000; ++i) {
    const double into_ms = (i - 400) * 10;
    const double waits = into_ms < 0 ? 0 : lengthened_by * (1000 - into_ms * (1 - rho));
    ages.record(static_cast<std::int64_t>(std::max(2.5, waits) * 1e6));
  }
  return {{"experiment", "s2-short"},
          {"runs",
           Json::array({{{"variant", "default"},
                         {"faults", Json::array({{{"at_ns", 4'000'000'000}, {"ended_ns", 5'000'000'000}}})},
                         {"phase_ns", {{"measure_start", 0}, {"load_end", 10'000'000'000}}},
                         {"rates", {{"offered_per_s", 100.0}}},
                         {"theory", Json::array({{{"service", {{"mean_ns", 2'500'000}}}}})},
                         {"latency", {{"done", {{"hdr", ages.encode()}}}}}}})}};
}

TEST(KnownAnswers, S2FollowsTheStallLawAndNoOther) {
  EXPECT_THAT(failures(known_answers(stalled(0.25, 1))), testing::IsEmpty());
  EXPECT_THAT(failures(known_answers(stalled(0.25, 0.9))), testing::Contains("longest age"));
  EXPECT_THAT(failures(known_answers(stalled(0.4, 1))), testing::Contains("share of messages affected"));
}

}  // namespace
}  // namespace brokerlab
