#include "analysis/process_costs.h"

#include "analysis/summary.h"
#include "tests/analysis/recorded_fixture.h"

namespace brokerlab {
namespace {

class ProcessCosts : public RecordedFixture {};

TEST_F(ProcessCosts, IsWhatEachProcessCounted) {
  RecordingWriter& emitter = load();
  RecordingWriter& worker = role("worker-0", 0);
  role("worker-1", 1);
  for (std::uint32_t i = 0; i < 10; ++i) {
    publish(emitter, i, i * kMs);
    deliver(worker, i, i * kMs, (i + 2) * kMs);
  }
  worker.counters().cpu_user_ns = 3000;
  worker.counters().cpu_system_ns = 2000;
  worker.counters().resident_bytes = 4096;
  close();
  const Json run = summarise(evidence, folder);
  EXPECT_EQ(run.at("processes"), Json::parse(R"([{"process": "worker-0", "instances": 1, "cpu_ns": 5000,
                                                  "resident_bytes": 4096, "messages": 10}])"))
      << "at the others nobody looked";
}

TEST_F(ProcessCosts, IsAbsentWhereNobodyLooked) {
  publish(load(), 0, 0);
  close();
  EXPECT_FALSE(summarise(evidence, folder).contains("processes"));
}

}  // namespace
}  // namespace brokerlab
