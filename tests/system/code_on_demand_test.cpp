// The catalogue's code-on-demand on a real broker: projects come out as they must, and what a killed worker
// costs is as its acknowledgement says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/system/program.h"

namespace brokerlab {
namespace {

using testing::HasSubstr;
using testing::Not;

Json code_on_demand(const std::string& variants) {
  std::vector<std::string> options;
  for (std::size_t at = 0; at < variants.size();) {
    const std::size_t end = std::min(variants.find(' ', at), variants.size());
    options.insert(options.end(), {"--variant", variants.substr(at, end - at)});
    at = end + 1;
  }
  return run_experiment_file("code-on-demand", options);
}

std::string notices_of(const Json& run) { return run.at("notices").dump(); }

TEST(CodeOnDemand, WorkersRebuildTheKnownCountsAndTheSpeedUpIsTold) {
  const Json result = code_on_demand("queens-1 queens-2 queens-executor");
  for (const char* variant : {"queens-1", "queens-2", "queens-executor"}) {
    const Json run = run_of(result, variant);
    EXPECT_THAT(notices_of(run), HasSubstr("queens-14 is finished: 365596")) << variant;
    EXPECT_THAT(notices_of(run), HasSubstr("queens-15 is finished: 2279184")) << variant;
    EXPECT_EQ(run.at("pipeline").at("completed"), 107) << variant;
    EXPECT_EQ(run.at("verdict").at("status"), "valid") << variant;
  }
  const Json points = result.at("comparison").at("scaling").at(0).at("variants");
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[1].at("instances"), 2);
  EXPECT_EQ(points[1].at("makespan_ns"), run_of(result, "queens-2").at("makespan_ns"));
}

// Tasks that only take their time need no core each: the speed-up is near the number of workers wherever this
// runs.
TEST(CodeOnDemand, SleepingTasksAreSharedOut) {
  const Json result = code_on_demand("phrases-1 phrases-4");
  const Json points = result.at("comparison").at("scaling").at(0).at("variants");
  EXPECT_GT(points[1].at("speed_up"), 2);
  EXPECT_LT(points[1].at("speed_up"), 4.4);
}

TEST(CodeOnDemand, AKilledWorkersTaskIsDoneAgainOrLost) {
  const Json result = code_on_demand("killed-ack-when-done killed-ack-on-taking");
  const Json again = run_of(result, "killed-ack-when-done");
  EXPECT_EQ(again.at("ledger").at("lost"), 0);
  EXPECT_THAT(notices_of(again), HasSubstr("phrases is finished"));
  const Json lost = run_of(result, "killed-ack-on-taking");
  // It was killed in mid-task, or in the moment between two.
  EXPECT_LE(lost.at("ledger").at("lost"), 1);
  EXPECT_EQ(lost.at("pipeline").at("completed").get<int>() + lost.at("ledger").at("lost").get<int>(), 60);
  if (lost.at("ledger").at("lost") == 1) {
    EXPECT_THAT(notices_of(lost), Not(HasSubstr("phrases is finished")));
    EXPECT_EQ(lost.at("ledger").at("lost_by_design"), 1);
  }
}

}  // namespace
}  // namespace brokerlab
