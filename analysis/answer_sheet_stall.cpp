// The broker stands still: S1, S2 and S5 of docs/metrics.md, "Known answers". Only those who were due in the
// stall know of it, and how long they waited is a matter of arithmetic.
#include <cmath>

#include "analysis/answer_sheet.h"
#include "analysis/stall_law.h"
#include "core/histogram.h"

namespace brokerlab {
namespace {

constexpr double kMs = 1e6;

// Of one stream of a run with one stall; times in ms. `valid`: the run has both.
struct StalledStream {
  bool valid = false;
  Histogram seen;
  double stall = NAN, load = NAN;

  StalledStream(const CaseAnswers& answers, const std::string& stream) {
    const auto began = answers.ms("/faults/0/at_ns"), ended = answers.ms("/faults/0/ended_ns"),
               from = answers.ms("/phase_ns/measure_start"), to = answers.ms("/phase_ns/load_end");
    const Json::json_pointer hdr("/latency/" + stream + "/hdr");
    if (!began || !ended || !from || !to || !answers.run().contains(hdr)) return;
    seen = Histogram::decode(answers.run().at(hdr).get<std::string>());
    stall = *ended - *began;
    load = *to - *from;
    valid = seen.count() > 0;
  }

  std::optional<double> quantile(double q) const {
    return valid ? std::optional(static_cast<double>(seen.quantile(q)) / kMs) : std::nullopt;
  }
  std::optional<double> mean() const { return valid ? std::optional(seen.mean() / kMs) : std::nullopt; }
  std::optional<double> longest() const {
    return valid ? std::optional(static_cast<double>(seen.max()) / kMs) : std::nullopt;
  }
  double above(double limit_ms) const {
    double samples = 0;
    for (const Histogram::Bucket& bucket : seen.buckets())
      samples += static_cast<double>(bucket.value) > limit_ms * kMs ? static_cast<double>(bucket.samples) : 0;
    return samples;
  }
  // Affected latencies are uniform on (0, S]: those above a tenth of S are nine tenths of them.
  std::optional<double> affected_share() const {
    return valid ? std::optional(above(stall / 10) / 0.9 / static_cast<double>(seen.count())) : std::nullopt;
  }
  // 1 - S/(f T), from the same run.
  double rho() const { return valid ? 1 - stall / (*affected_share() * load) : NAN; }
};

void expect_law(CaseAnswers& answers, const StalledStream& stream, const StallLaw& law) {
  answers.within_share("mean age", stream.mean(), law.mean(), 0.05, "ms");
  answers.within_share("99th percentile of the age", stream.quantile(0.99), law.quantile(0.99), 0.02, "ms");
  if (stream.valid && stream.seen.count() >= 10'000)
    answers.within_share("99.9th percentile of the age", stream.quantile(0.999), law.quantile(0.999), 0.02,
                         "ms");
  answers.within_share("longest age", stream.longest(), law.longest(), 0.02, "ms");
}

double usual(const StalledStream& stream) { return stream.quantile(0.5).value_or(NAN); }

}  // namespace

std::vector<KnownAnswer> answer_s1_s5(const Json& result) {
  CaseAnswers open_loop("S1", run_of_variant(result, "open-loop"));
  const StalledStream seen(open_loop, "end_to_end");
  open_loop.within("share of messages affected", seen.affected_share(), 0.1, 0.01);
  open_loop.at_most("median age, beside the stall", seen.quantile(0.5), 5, "ms");
  expect_law(open_loop, seen, {seen.stall, seen.load, seen.rho(), usual(seen)});

  // The same stall through a publisher that waits for each confirm and counts from the send.
  CaseAnswers confirm_each("S5", run_of_variant(result, "confirm-each"));
  const StalledStream from_send(confirm_each, "confirm"), from_due(confirm_each, "end_to_end");
  confirm_each.exact_value(
      "messages that the uncorrected view calls late",
      from_send.valid ? std::optional(from_send.above(from_send.stall / 2)) : std::nullopt, 1);
  confirm_each.at_most("99th percentile, uncorrected", from_send.quantile(0.99), 0.1 * from_send.stall, "ms");
  confirm_each.within_share("longest, uncorrected", from_send.longest(), from_send.stall, 0.02, "ms");
  const StallLaw truth{from_due.stall, from_due.load, from_due.rho(), usual(from_due)};
  confirm_each.within_share("99th percentile, from due", from_due.quantile(0.99), truth.quantile(0.99), 0.05,
                            "ms");

  std::vector<KnownAnswer> all = open_loop.take();
  for (KnownAnswer& answer : confirm_each.take()) all.push_back(std::move(answer));
  return all;
}

// The backlog drains at the worker's pace: rho is the offered rate times what a task costs it, work and
// turnaround, as measured in the same run.
std::vector<KnownAnswer> answer_s2(const Json& result) {
  CaseAnswers answers("S2", run_of_variant(result, "default"));
  const StalledStream seen(answers, "done");
  const auto service = answers.ms("/theory/0/service/mean_ns"), rate = answers.number("/rates/offered_per_s");
  const double turnaround = answers.ms("/theory/0/service/turnaround_ns").value_or(0);
  const double rho = service && rate ? *rate * (*service + turnaround) / 1000 : NAN;
  const StallLaw law{seen.stall, seen.load, rho, usual(seen)};
  answers.within("rho, which is to be a quarter", rho, 0.25, 0.05);
  answers.within_share("share of messages affected", seen.affected_share(), law.affected_share(), 0.05);
  answers.within_share("90th percentile of the age", seen.quantile(0.9), law.quantile(0.9), 0.05, "ms");
  expect_law(answers, seen, law);
  return answers.take();
}

}  // namespace brokerlab
