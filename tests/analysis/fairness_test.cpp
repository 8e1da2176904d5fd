#include "analysis/fairness.h"

#include <gmock/gmock.h>

namespace brokerlab {
namespace {

using testing::DoubleEq;
using testing::DoubleNear;

FairnessIndices of(std::vector<double> shares) { return FairnessIndices::of(shares).value(); }

TEST(Fairness, NineToOneHasItsKnownAnswers) {
  const FairnessIndices indices = of({900, 100});
  EXPECT_THAT(indices.jain, DoubleNear(0.609756, 5e-7));
  EXPECT_THAT(indices.cv, DoubleEq(0.8));
  EXPECT_THAT(indices.gini, DoubleEq(0.4));
  EXPECT_THAT(indices.max_min_ratio.value(), DoubleEq(9));
  EXPECT_THAT(indices.jain, DoubleNear(1 / (1 + indices.cv * indices.cv), 1e-12));
}

TEST(Fairness, EqualSharesAreEven) {
  const FairnessIndices indices = of({7, 7, 7, 7});
  EXPECT_THAT(indices.jain, DoubleEq(1));
  EXPECT_THAT(indices.gini, DoubleNear(0, 1e-15));
  EXPECT_THAT(indices.cv, DoubleEq(0));
  EXPECT_THAT(indices.max_min_ratio.value(), DoubleEq(1));
}

TEST(Fairness, WhoGotNothingCounts) {
  const FairnessIndices indices = of({100, 0, 0, 0});
  EXPECT_THAT(indices.jain, DoubleEq(0.25));
  EXPECT_THAT(indices.gini, DoubleEq(0.75));
  EXPECT_FALSE(indices.max_min_ratio.has_value()) << "a ratio to nothing is no number";
}

TEST(Fairness, MeansNothingForOneOrForNothing) {
  EXPECT_FALSE(FairnessIndices::of(std::vector<double>{5}).has_value());
  EXPECT_FALSE(FairnessIndices::of(std::vector<double>{0, 0}).has_value());
  EXPECT_FALSE(FairnessIndices::of(std::vector<double>{}).has_value());
}

ConsumerShare share(std::string role, std::uint32_t instance, std::int64_t messages, Nanoseconds busy) {
  ConsumerShare share;
  share.role = role;
  share.instance = instance;
  share.name = role + std::to_string(instance);
  share.queue = "tasks";
  share.messages = share.received = messages;
  share.bytes = messages * 10;
  share.busy_ns = busy;
  return share;
}

TEST(Fairness, ComparesTheConsumersOfARole) {
  const Json json =
      fairness_json({share("worker", 0, 50, 900), share("worker", 1, 50, 100), share("boss", 0, 3, 1)});
  EXPECT_THAT(json.at("by_messages").at("jain").get<double>(), DoubleEq(1));
  EXPECT_THAT(json.at("by_busy_time").at("jain").get<double>(), DoubleNear(0.609756, 5e-7));
  EXPECT_EQ(json.at("by_role").size(), 1u);
  EXPECT_EQ(json.at("consumers").size(), 3u);
  EXPECT_FALSE(json.at("consumers")[0].contains("idle_ns")) << "how long it was there is not known";
}

TEST(Fairness, HasNoFigureOverUnlikeJobs) {
  const Json json =
      fairness_json({share("a", 0, 1, 1), share("a", 1, 1, 1), share("b", 0, 9, 9), share("b", 1, 1, 9)});
  EXPECT_FALSE(json.contains("by_messages"));
  EXPECT_THAT(json.at("by_role").at("a").at("by_messages").at("jain").get<double>(), DoubleEq(1));
  EXPECT_LT(json.at("by_role").at("b").at("by_messages").at("jain").get<double>(), 0.7);
}

TEST(Fairness, LeavesOutWhoWasKilled) {
  std::vector<ConsumerShare> shares = {share("w", 0, 10, 1), share("w", 1, 10, 1), share("w", 2, 1, 1)};
  shares[2].alive = false;
  const Json json = fairness_json(shares);
  EXPECT_THAT(json.at("by_messages").at("jain").get<double>(), DoubleEq(1));
  EXPECT_EQ(json.at("consumers")[2].at("alive"), false);
}

TEST(Fairness, NamesIdleTimeWhereItIsKnown) {
  ConsumerShare worker = share("w", 0, 10, 300);
  worker.present_ns = 1000;
  EXPECT_EQ(fairness_json({worker}).at("consumers")[0].at("idle_ns"), 700);
}

}  // namespace
}  // namespace brokerlab
