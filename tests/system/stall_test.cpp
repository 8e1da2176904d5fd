// S1 and S5: the broker stands still. The stall law says what everyone who had a message due in that time
// waited; a view that counts from the send sees one late message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/histogram.h"
#include "tests/system/program.h"

namespace brokerlab {
namespace {

constexpr double kMs = 1e6;

double number(const Json& run, const char* pointer) {
  return run.at(Json::json_pointer(pointer)).get<double>();
}

std::int64_t above(const Histogram& histogram, std::int64_t limit_ns) {
  std::int64_t samples = 0;
  for (const Histogram::Bucket& bucket : histogram.buckets())
    samples += bucket.value > limit_ns ? bucket.samples : 0;
  return samples;
}

// The stall as it was, from the fault's own record.
double stall_ns(const Json& run) {
  const Json& fault = run.at("faults").at(0);
  return fault.at("ended_ns").get<double>() - fault.at("at_ns").get<double>();
}

// Affected latencies are uniform on (0, S]: those above a tenth of S are nine tenths of them.
double affected_share(const Histogram& histogram, double stall) {
  return static_cast<double>(above(histogram, static_cast<std::int64_t>(stall / 10))) / 0.9 /
         static_cast<double>(histogram.count());
}

void expect_stall_law(const Json& run) {
  const Histogram seen = Histogram::decode(run["latency"]["end_to_end"]["hdr"].get<std::string>());
  const double stall = stall_ns(run);
  const double affected = affected_share(seen, stall);
  const double usual = static_cast<double>(seen.quantile(0.5));
  EXPECT_NEAR(affected, 0.1, 0.01);
  EXPECT_LT(usual, 5 * kMs);
  EXPECT_NEAR(seen.mean(), usual + affected * stall / 2, 0.05 * (usual + affected * stall / 2));
  const double p99 = stall * (1 - 0.01 / affected);
  EXPECT_NEAR(static_cast<double>(seen.quantile(0.99)), p99, 0.02 * p99);
  EXPECT_NEAR(static_cast<double>(seen.max()), stall, 0.02 * stall);
}

TEST(Stall, S1TrueLatencyBesideS5TheUncorrectedView) {
  const ScratchFolder folder;
  // On a private broker of the program's own: no other may be stopped.
  const ProgramResult program = run_program({"run", "known-answers/s1-s5-short", "--json"}, folder.path());
  ASSERT_EQ(program.status, 0) << program.err;
  const Json result = Json::parse(program.out);

  const Json open_loop = run_of(result, "open-loop");
  expect_stall_law(open_loop);
  EXPECT_EQ(open_loop["ledger"]["lost"], 0);

  // The same stall through a publisher that waits for each confirm: counted from the send, p99 knows nothing
  // of it.
  const Json confirm_each = run_of(result, "confirm-each");
  const double stall = stall_ns(confirm_each);
  EXPECT_LT(number(confirm_each, "/latency/confirm/p99_ns"), 0.1 * stall);
  EXPECT_NEAR(number(confirm_each, "/latency/confirm/max_ns"), stall, 0.02 * stall);
  const Histogram from_sent = Histogram::decode(confirm_each["latency"]["confirm"]["hdr"].get<std::string>());
  EXPECT_EQ(above(from_sent, static_cast<std::int64_t>(stall / 2)), 1);
  // Counted from the intended time, it tells the truth.
  const double p99 =
      stall * (1 - 0.01 / affected_share(Histogram::decode(
                                             confirm_each["latency"]["end_to_end"]["hdr"].get<std::string>()),
                                         stall));
  EXPECT_NEAR(number(confirm_each, "/latency/end_to_end/p99_ns"), p99, 0.05 * p99);
}

}  // namespace
}  // namespace brokerlab
