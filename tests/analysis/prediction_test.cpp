#include "analysis/prediction.h"

#include <gmock/gmock.h>

#include "analysis/summary.h"
#include "tests/analysis/recorded_fixture.h"
#include "tests/analysis/schema_check.h"

namespace brokerlab {
namespace {

class PredictionTest : public RecordedFixture {
 protected:
  PredictionTest() {
    evidence["roles"][0]["effort"] = {{"kind", "sleep"}, {"seconds", "10ms"}};
    evidence["roles"][0]["consume"]["prefetch"] = 1;
  }

  // One worker, `count` messages `gap` apart, each worked on for 10 ms as soon as the worker is free.
  Json one_line(int count, Nanoseconds gap, Nanoseconds more_wait = 0) {
    RecordingWriter& emitter = load();
    RecordingWriter& worker = role("worker-0", 0);
    Nanoseconds free_at = 0;
    for (int i = 0; i < count; ++i) {
      const Nanoseconds due = i * gap;
      publish(emitter, static_cast<std::uint32_t>(i), due, kConfirmed, 1000);
      DeliveryRecord& record = deliver(worker, static_cast<std::uint32_t>(i), due, due + kMs);
      record.started_ns = kStart + std::max(due + kMs, free_at) + (i > 0 ? more_wait : 0);
      record.done_ns = record.started_ns + 10 * kMs;
      free_at = record.done_ns - kStart;
    }
    close();
    return summarise(evidence, folder);
  }
};

TEST_F(PredictionTest, AgreesWithARunThatKeepsItsAssumptions) {
  const Json run = one_line(200, 9 * kMs);
  EXPECT_EQ(run_schema_errors(run), "");
  const Json& theory = run.at("theory").at(0);
  EXPECT_EQ(theory.at("model").at("name"), "D/D/1");
  // The last of 200 waits 199 x 1 ms.
  EXPECT_NEAR(theory.at("measured").at("max_ns").get<double>(), 199e6, 1e6);
  EXPECT_NEAR(theory.at("replay").at("max_ns").get<double>(), 199e6, 1e6);
  EXPECT_NEAR(theory.at("replay").at("error").at("mean").get<double>(), 0, 1e-6);
  EXPECT_NEAR(theory.at("model").at("error").at("mean").get<double>(), 0, 0.01);
  EXPECT_NEAR(theory.at("utilisation").get<double>(), 10.0 / 9, 1e-3);
  EXPECT_EQ(theory.count("assumptions_failed"), 0U);
}

TEST_F(PredictionTest, TurnaroundIsMeasuredAndReplayed) {
  const Json run = one_line(200, 9 * kMs, 2 * kMs);
  const Json& theory = run.at("theory").at(0);
  EXPECT_NEAR(theory.at("service").at("turnaround_ns").get<double>(), 2e6, 1e5);
  EXPECT_NEAR(theory.at("replay").at("error").at("mean").get<double>(), 0, 0.01);
}

TEST_F(PredictionTest, NamesTheArrivalsThatAreNotAsDeclared) {
  // Declared constant, but they come in heaps of ten.
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  Nanoseconds free_at = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const Nanoseconds due = i / 10 * 200 * kMs;
    publish(emitter, i, due, kConfirmed, 1000);
    DeliveryRecord& record = deliver(worker, i, due, due + kMs);
    record.started_ns = kStart + std::max(due + kMs, free_at);
    record.done_ns = record.started_ns + 10 * kMs;
    free_at = record.done_ns - kStart;
  }
  close();
  const Json theory = summarise(evidence, folder).at("theory").at(0);
  EXPECT_NEAR(theory.at("replay").at("error").at("mean").get<double>(), 0, 1e-6);
  EXPECT_LT(theory.at("model").at("error").at("mean").get<double>(), -0.5);
  ASSERT_EQ(theory.at("assumptions_failed").size(), 1U);
  EXPECT_THAT(theory.at("assumptions_failed")[0].get<std::string>(), testing::HasSubstr("arrivals with scv"));
}

TEST_F(PredictionTest, FewPiecesOfWorkAllowNoPrediction) {
  EXPECT_EQ(one_line(99, 20 * kMs).count("theory"), 0U);
}

}  // namespace
}  // namespace brokerlab
