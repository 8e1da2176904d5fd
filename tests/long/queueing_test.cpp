// The laws of waiting, on a million arrivals each through a whole simulated run: Q4, Q5 and Q6 of
// docs/metrics.md, within 3 %.
#include <gtest/gtest.h>

#include "tests/cli/simulated.h"

namespace brokerlab {
namespace {

struct Waits {
  double mean, p50, p90, p99, p99_9;  // ms
};

void expect_waits(const std::string& name, const Waits& expected) {
  const Json run = run_of(result_of(name));
  EXPECT_EQ(run["verdict"]["status"], "valid") << run["verdict"].dump();
  EXPECT_EQ(run["ledger"]["unique"], 1'000'000);
  EXPECT_EQ(run["ledger"]["lost"], 0);
  const auto expect_wait = [&](const char* figure, double wait_ms) {
    const double measured = number(run, (std::string("/latency/end_to_end/") + figure).c_str()) / kMs;
    EXPECT_NEAR(measured, wait_ms, 0.03 * wait_ms) << figure;
  };
  expect_wait("mean_ns", expected.mean);
  expect_wait("p50_ns", expected.p50);
  expect_wait("p90_ns", expected.p90);
  expect_wait("p99_ns", expected.p99);
  expect_wait("p99_9_ns", expected.p99_9);
}

TEST(Queueing, Q4) { expect_waits("known-answers/q4", {10.00, 6.38, 25.06, 51.78, 78.50}); }
TEST(Queueing, Q5) { expect_waits("known-answers/q5", {20.0, 11.75, 51.99, 109.55, 167.12}); }
TEST(Queueing, Q6) { expect_waits("known-answers/q6", {14.911, 4.41, 44.64, 102.21, 159.77}); }

}  // namespace
}  // namespace brokerlab
