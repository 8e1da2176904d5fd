#include "analysis/workload.h"

#include <gmock/gmock.h>

#include "analysis/result.h"
#include "analysis/scaling.h"
#include "analysis/summary.h"
#include "tests/analysis/recorded_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

using testing::DoubleNear;

class WorkloadTest : public RecordedFixture {
 protected:
  WorkloadTest() { evidence["roles"][0]["effort"] = {{"kind", "sleep"}, {"seconds", "18ms"}}; }

  // The known answer R1: a hundred efforts of 18 and 2 ms in turn, dealt to two workers; all are due at once.
  Json push() {
    RecordingWriter& emitter = load();
    RecordingWriter* workers[] = {&role("worker-0", 0), &role("worker-1", 1)};
    for (std::uint32_t i = 0; i < 100; ++i) {
      publish(emitter, i, 0, kConfirmed, 0);
      const Nanoseconds effort = i % 2 == 0 ? 18 * kMs : 2 * kMs;
      DeliveryRecord& record = deliver(*workers[i % 2], i, 0, 0);
      record.started_ns = kStart + (i / 2) * effort;
      record.done_ns = record.started_ns + effort;
    }
    close();
    return summarise(evidence, folder);
  }
};

TEST_F(WorkloadTest, KnowsTheLeastPossibleTimeAndWhoIdled) {
  const Json run = push();
  EXPECT_EQ(run_schema_errors(run), "");
  ASSERT_EQ(run.at("work").size(), 1U);
  const Json& work = run.at("work")[0];
  EXPECT_EQ(work.at("workers"), 2);
  EXPECT_EQ(work.at("tasks"), 100);
  EXPECT_EQ(work.at("service_ns"), 1000 * kMs);
  EXPECT_EQ(work.at("longest_ns"), 18 * kMs);
  EXPECT_EQ(work.at("lower_bound_ns"), 500 * kMs);
  EXPECT_EQ(run.at("makespan_ns"), 900 * kMs);
  EXPECT_THAT(work.at("idle_share").get<double>(), DoubleNear(0.8 / 1.8, 1e-9));
}

TEST_F(WorkloadTest, NoScheduleIsShorterThanTheLongestPiece) {
  RecordingWriter& emitter = load();
  RecordingWriter* workers[] = {&role("worker-0", 0), &role("worker-1", 1)};
  for (std::uint32_t i = 0; i < 2; ++i) {
    publish(emitter, i, 0);
    DeliveryRecord& record = deliver(*workers[i], i, 0, 0);
    record.started_ns = kStart;
    record.done_ns = kStart + (i == 0 ? 90 * kMs : 10 * kMs);
  }
  close();
  EXPECT_EQ(summarise(evidence, folder).at("work")[0].at("lower_bound_ns"), 90 * kMs);
}

TEST_F(WorkloadTest, RolesWithoutEffortDoNoWork) {
  evidence["roles"][0]["effort"] = {{"kind", "none"}};
  EXPECT_FALSE(push().contains("work"));
}

Json compared(std::initializer_list<std::pair<const char*, double>> makespans) {
  Json variants = Json::array();
  for (const auto& [name, makespan] : makespans)
    variants.push_back({{"variant", name}, {"medians", {{"makespan", makespan}}}});
  return variants;
}

TEST(Scaling, ComparesWhatDiffersOnlyInTheNumberOfInstances) {
  const auto with = [](int instances, const char* ack) {
    return Json{
        {"roles", {{{"role", "worker"}, {"instances", instances}, {"processes", instances}, {"ack", ack}}}}};
  };
  const Json variants = {{"four", with(4, "auto")},
                         {"one", with(1, "auto")},
                         {"two", with(2, "auto")},
                         {"other", with(8, "manual")}};
  const Json scaling =
      scaling_of(variants, compared({{"four", 300}, {"one", 1000}, {"two", 500}, {"other", 100}}));
  ASSERT_EQ(scaling.size(), 1U) << scaling.dump();
  EXPECT_EQ(scaling[0].at("role"), "worker");
  const Json& points = scaling[0].at("variants");
  ASSERT_EQ(points.size(), 3U) << "another way of acknowledging is another thing";
  EXPECT_EQ(points[0].at("variant"), "one");
  EXPECT_EQ(points[0].at("speed_up"), 1.0);
  EXPECT_EQ(points[1].at("speed_up"), 2.0);
  EXPECT_EQ(points[1].at("efficiency"), 1.0);
  EXPECT_THAT(points[2].at("speed_up").get<double>(), DoubleNear(3.333, 0.001));
  EXPECT_THAT(points[2].at("efficiency").get<double>(), DoubleNear(0.8333, 0.001));
}

TEST(Scaling, OfEqualVariantsThereIsNone) {
  const Json same = {{"roles", {{{"role", "worker"}, {"instances", 2}}}}};
  EXPECT_TRUE(scaling_of({{"a", same}, {"b", same}}, compared({{"a", 1}, {"b", 1}})).empty());
  EXPECT_TRUE(scaling_of(Json(), compared({{"a", 1}, {"b", 1}})).empty());
}

}  // namespace
}  // namespace brokerlab
