// The correction system of docs/systems.md: its numbers follow from bindings, roles and hop limit alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

struct Expected {
  const char* variant;
  int completed, deliveries, hop_limited, returned;
};

std::vector<std::string> loops_of(const Json& pipeline) {
  std::vector<std::string> loops;
  for (const Json& loop : pipeline["loops"]) {
    loops.push_back(loop["role"].get<std::string>() + " " + loop["exchange"].get<std::string>() + " " +
                    loop["routing_key"].get<std::string>());
  }
  return loops;
}

TEST(Correction, EveryVariantCostsWhatItsBindingsSay) {
  const Json result = run_experiment_file("correction");
  // Per submission on the fanout exchange as documented: 1, 1, 2, 3, 5, 8, 13, 21 and 34 messages at hops 0
  // to 8, each to three queues.
  const Expected all[] = {{"direct", 100, 300, 0, 0}, {"direct-as-documented", 0, 900, 100, 0},
                          {"fanout", 100, 900, 0, 0}, {"fanout-as-documented", 100, 3 * 8800, 5500, 0},
                          {"routed", 100, 300, 0, 0}, {"routed-as-documented", 100, 300, 0, 100}};
  for (const Expected& expected : all) {
    SCOPED_TRACE(expected.variant);
    const Json run = run_of(result, expected.variant);
    EXPECT_EQ(run["pipeline"]["submitted"], 100);
    EXPECT_EQ(run["pipeline"]["completed"], expected.completed);
    EXPECT_EQ(run["pipeline"]["deliveries"], expected.deliveries);
    EXPECT_EQ(run["pipeline"]["hop_limited"], expected.hop_limited);
    EXPECT_EQ(run["ledger"]["returned"], expected.returned);
    EXPECT_EQ(run["ledger"]["lost"], 0);
    EXPECT_EQ(run["ledger"]["unreadable"], 0);
  }
}

// On a broker that is not ours alone, the names have a prefix.
TEST(Correction, CirclesAreNamed) {
  const Json result = run_experiment_file(
      "correction",
      {"--variant", "direct", "--variant", "direct-as-documented", "--variant", "fanout-as-documented"});
  EXPECT_THAT(loops_of(run_of(result, "direct")["pipeline"]), IsEmpty());
  EXPECT_THAT(loops_of(run_of(result, "direct-as-documented")["pipeline"]),
              ElementsAre(MatchesRegex("demonstrator .*assignment_exchange correction")));
  EXPECT_THAT(loops_of(run_of(result, "fanout-as-documented")["pipeline"]),
              testing::Contains(MatchesRegex("demonstrator .*assignment_exchange validation")));
}

}  // namespace
}  // namespace brokerlab
