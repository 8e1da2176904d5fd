#include "experiments/rate_search.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "core/random.h"

namespace brokerlab {
namespace {

using Answer = RateSearch::Answer;
using Oracle = std::function<TrialOutcome(double rate, int trial)>;

// Runs the search to its end, or until it has gone beyond what it promised.
RateSearch searched(const SearchRange& range, const Oracle& oracle) {
  RateSearch search(range);
  int trials = 0;
  while (const auto rate = search.next()) {
    if (++trials > range.most_trials()) {
      ADD_FAILURE() << "more than " << range.most_trials() << " trials";
      break;
    }
    EXPECT_GE(*rate, range.from);
    EXPECT_LE(*rate, range.to);
    search.add(oracle(*rate, trials));
  }
  return search;
}

Oracle up_to(double capacity) {
  return [capacity](double rate, int) {
    return rate <= capacity ? TrialOutcome::kSustained : TrialOutcome::kNotSustained;
  };
}

TEST(RateSearch, FindsASharpLimitToWithinThePrecision) {
  for (const double precision : {0.5, 0.1, 0.05, 0.01, 0.001}) {
    for (const double capacity : {1.0, 1.3, 7.77, 99.0, 400.0, 4321.0, 99'999.0, 654'321.0}) {
      const SearchRange range{1, 1e6, precision, 3};
      const RateSearch search = searched(range, up_to(capacity));
      ASSERT_EQ(search.answer(), Answer::kFound) << capacity;
      EXPECT_LE(*search.sustained(), capacity);
      EXPECT_GT(*search.failed(), capacity);
      EXPECT_LE(*search.failed() / *search.sustained(), 1 + precision + 1e-9) << capacity;
      EXPECT_TRUE(search.contradictions().empty());
      // No rate needs its third trial when the first two agree.
      for (const RateSearch::Rate& rate : search.rates()) EXPECT_EQ(rate.trials.size(), 2U);
    }
  }
}

TEST(RateSearch, RatesAreThoseThatAPersonWouldWrite) {
  const RateSearch search = searched({100, 1e5, 0.05, 1}, up_to(12'345));
  std::vector<double> rates;
  for (const RateSearch::Rate& rate : search.rates()) rates.push_back(rate.per_s);
  EXPECT_THAT(rates,
              testing::ElementsAre(100, 200, 400, 800, 1600, 3200, 6400, 12800, 9050, 10800, 11800, 12300));
}

TEST(RateSearch, WhatNeverFailsIsSustainedAtLeastToTheEndOfTheRange) {
  const RateSearch search = searched({10, 700, 0.05, 3}, up_to(1e12));
  EXPECT_EQ(search.answer(), Answer::kAtLeast);
  EXPECT_EQ(search.sustained(), 700);
  EXPECT_FALSE(search.failed());
  EXPECT_FALSE(search.undecided());
}

TEST(RateSearch, WhatAlwaysFailsIsBelowTheRange) {
  const RateSearch search = searched({10, 700, 0.05, 3}, up_to(0));
  EXPECT_EQ(search.answer(), Answer::kBelow);
  EXPECT_FALSE(search.sustained());
  EXPECT_EQ(search.failed(), 10);
  EXPECT_EQ(search.rates().size(), 1U);
}

TEST(RateSearch, AboveWhatTheGeneratorCanDoNothingIsKnown) {
  const RateSearch search = searched({10, 1e6, 0.05, 3}, [](double rate, int) {
    return rate <= 5000 ? TrialOutcome::kSustained : TrialOutcome::kUndecided;
  });
  EXPECT_EQ(search.answer(), Answer::kAtLeast);
  EXPECT_NEAR(*search.sustained(), 5000, 250);
  EXPECT_FALSE(search.failed());
  EXPECT_LE(*search.undecided() / *search.sustained(), 1.05);

  const RateSearch never = searched({10, 1e6, 0.05, 3}, [](double, int) { return TrialOutcome::kUndecided; });
  EXPECT_EQ(never.answer(), Answer::kUndecided);
}

// The generator gives up at 600, and the broker, as it turns out below that, at 450: a full answer.
TEST(RateSearch, AnUndecidedRateDoesNotHideALimitBelowIt) {
  const RateSearch search = searched({100, 1e6, 0.05, 3}, [](double rate, int) {
    if (rate > 600) return TrialOutcome::kUndecided;
    return rate <= 450 ? TrialOutcome::kSustained : TrialOutcome::kNotSustained;
  });
  EXPECT_EQ(search.answer(), Answer::kFound);
  EXPECT_LE(*search.sustained(), 450);
  EXPECT_GT(*search.failed(), 450);
  EXPECT_EQ(search.undecided(), 800);
}

TEST(RateSearch, OneDisturbedTrialSpoilsNoRate) {
  int disturbed = 0;
  const RateSearch search = searched({100, 1e5, 0.05, 3}, [&](double rate, int trial) {
    if (rate <= 1000 && trial % 3 == 1) {
      ++disturbed;
      return trial % 2 == 0 ? TrialOutcome::kUndecided : TrialOutcome::kNotSustained;
    }
    return rate <= 1000 ? TrialOutcome::kSustained : TrialOutcome::kNotSustained;
  });
  EXPECT_GT(disturbed, 3);
  EXPECT_EQ(search.answer(), Answer::kFound);
  EXPECT_NEAR(*search.sustained(), 1000, 50);
  // And it is told.
  ASSERT_FALSE(search.contradictions().empty());
  for (const RateSearch::Contradiction& each : search.contradictions()) {
    EXPECT_FALSE(each.decided);
    EXPECT_LT(search.rates()[each.lower].per_s, search.rates()[each.higher].per_s);
  }
}

// Near the limit a trial passes or fails by chance: the answer stays near it, and the number of trials
// bounded.
TEST(RateSearch, ANoisyLimitIsFoundNearIt) {
  int near = 0;
  constexpr int kSearches = 200;
  for (int seed = 0; seed < kSearches; ++seed) {
    Random random(static_cast<std::uint64_t>(seed), "noise", 0);
    const RateSearch search = searched({10, 1e5, 0.05, 3}, [&](double rate, int) {
      const double share = 1 / (1 + std::exp((rate / 1000 - 1) / 0.03));
      return random.uniform() < share ? TrialOutcome::kSustained : TrialOutcome::kNotSustained;
    });
    EXPECT_EQ(search.answer(), Answer::kFound);
    near += *search.sustained() > 850 && *search.sustained() < 1150;
  }
  EXPECT_GE(near, kSearches * 95 / 100);
}

// A gap at 150 to 250: doubling falls into it, and what lies beyond is never tried.
TEST(RateSearch, StopsAtTheFirstLimitOfSeveral) {
  const RateSearch search = searched({100, 1e5, 0.05, 3}, [](double rate, int) {
    return rate <= 150 || (rate > 250 && rate < 1000) ? TrialOutcome::kSustained
                                                      : TrialOutcome::kNotSustained;
  });
  EXPECT_EQ(search.answer(), Answer::kFound);
  EXPECT_LE(*search.sustained(), 150);
  EXPECT_LE(*search.failed(), 160);
}

TEST(RateSearch, IsUnfinishedUntilItIsOver) {
  RateSearch search({100, 1000, 0.05, 3});
  EXPECT_EQ(search.next(), 100);
  EXPECT_EQ(search.repetition(), 0);
  search.add(TrialOutcome::kSustained);
  EXPECT_EQ(search.next(), 100);
  EXPECT_EQ(search.repetition(), 1);
  search.add(TrialOutcome::kSustained);
  EXPECT_EQ(search.next(), 200);
  EXPECT_EQ(search.repetition(), 0);
  EXPECT_EQ(search.answer(), Answer::kUnfinished);
  EXPECT_EQ(search.sustained(), 100);
}

struct Vote {
  int trials;
  const char* outcomes;  // s, n, u in this order
  const char* decided;   // after how many, and what: "2s"
};

TEST(RateSearch, ARateIsDecidedAsSoonAsTheRestCannotChangeIt) {
  const std::vector<Vote> votes = {
      {1, "s", "1s"},   {1, "n", "1n"},   {1, "u", "1u"},    {2, "ss", "2s"},    {2, "n", "1n"},
      {2, "su", "2u"},  {3, "ss", "2s"},  {3, "nn", "2n"},   {3, "sns", "3s"},   {3, "snn", "3n"},
      {3, "snu", "3u"}, {3, "uss", "3s"}, {3, "uu", "2u"},   {3, "unn", "3n"},   {4, "ssns", "4s"},
      {4, "nn", "2n"},  {5, "nn", "2n"},  {5, "ssss", "4s"}, {5, "ssnss", "5s"}, {5, "uuss", "4u"}};
  const auto outcome = [](char letter) {
    return letter == 's'   ? TrialOutcome::kSustained
           : letter == 'n' ? TrialOutcome::kNotSustained
                           : TrialOutcome::kUndecided;
  };
  for (const Vote& vote : votes) {
    SCOPED_TRACE(std::to_string(vote.trials) + " " + vote.outcomes);
    RateSearch search({100, 1000, 0.05, vote.trials});
    std::size_t after = 0;
    for (const char* next = vote.outcomes; *next != '\0'; ++next) {
      ASSERT_TRUE(search.rates().empty() || !search.rates().front().decision) << "decided too early";
      search.add(outcome(*next));
      ++after;
    }
    const auto decision = search.rates().front().decision;
    ASSERT_TRUE(decision);
    EXPECT_EQ(*decision, outcome(vote.decided[1]));
    EXPECT_EQ(after, static_cast<std::size_t>(vote.decided[0] - '0'));
  }
}

}  // namespace
}  // namespace brokerlab
