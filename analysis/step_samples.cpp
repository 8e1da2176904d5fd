#include "analysis/step_samples.h"

#include <algorithm>
#include <utility>

#include "core/distribution.h"

namespace brokerlab {
namespace {

// Kept of each kind: enough for a 99.9th percentile, and little memory.
constexpr std::size_t kMostSamples = 1'000'000;
// A message sent so long before an acknowledgement was waiting in the queue when that came.
constexpr Nanoseconds kSurelyWaiting = 10'000'000;
constexpr double kTellingSizes = 4;  // the largest body over the smallest one, below which no slope is drawn

void keep(std::vector<double>& samples, Nanoseconds value) {
  if (samples.size() < kMostSamples) samples.push_back(static_cast<double>(std::max<Nanoseconds>(0, value)));
}

bool is_saturated(const Json& load) {
  const auto arrivals = load.find("arrivals");
  return arrivals != load.end() && arrivals->value("process", "") == "closed" &&
         arrivals->value("outstanding", 1) > 1;
}

}  // namespace

void StepSamples::Range::add(double value) {
  min = any ? std::min(min, value) : value;
  max = any ? std::max(max, value) : value;
  any = true;
}

void StepSamples::add(const RecordedRun& run) {
  const RunEvidence& evidence = run.evidence();
  saturated_ |= std::any_of(evidence.loads.begin(), evidence.loads.end(), is_saturated);
  consumers_.add(static_cast<double>(run.consumers().size()));
  queues_.add(static_cast<double>(evidence.queues.size()));
  add_publishes(run, evidence.measure_start());
  add_deliveries(run, evidence.measure_start());
}

void StepSamples::add_publishes(const RecordedRun& run, Nanoseconds from) {
  std::int64_t published = 0;
  Nanoseconds first = INT64_MAX, last = 0;
  run.each_publish([&](const RecordedProcess& process, std::uint32_t, const PublishRecord& record) {
    if (!run.evidence_of(process).is_load || record.intended_ns < from || record.sent_ns == 0) return;
    ++published;
    first = std::min(first, record.sent_ns);
    last = std::max(last, record.sent_ns);
    keep(send_, record.sent_ns - record.intended_ns);
    if ((record.outcome & kConfirmed) && !(record.outcome & kReturned))
      keep(confirm_, record.settled_ns - record.sent_ns);
  });
  if (published > 1 && last > first)
    rate_.add(static_cast<double>(published - 1) * 1e9 / static_cast<double>(last - first));
}

std::vector<StepSamples::Consumption> StepSamples::consumptions(const RecordedRun& run) {
  std::vector<Consumption> all;
  for (const RecordedConsumer& consumer : run.consumers()) {
    Consumption consumption;
    consumption.works = consumer.works;
    for (const Json& role : run.evidence().roles) {
      if (role.value("role", "") != run.roles()[consumer.role]) continue;
      const Json consume = role.value("consume", Json::object());
      const int prefetch = consume.value("prefetch", 0);
      consumption.may_wait = !consumer.automatic && prefetch > 0;
      consumption.limited = consumption.may_wait && prefetch == 1;
      const Json effort = role.value("effort", Json::object());
      if (!effort.contains("seconds")) continue;
      consumption.declared_ns =
          Distribution::from_json(effort.at("seconds"), number_of_seconds)->mean() * 1e9;
      consumption.constant = !effort.at("seconds").is_object();
    }
    all.push_back(consumption);
  }
  return all;
}

void StepSamples::add_deliveries(const RecordedRun& run, Nanoseconds from) {
  std::vector<Consumption> consumers = consumptions(run);
  run.each_delivery([&](std::uint32_t consumer, std::uint32_t, const DeliveryRecord& record) {
    Consumption& before = consumers[consumer];
    const Nanoseconds freed = std::exchange(before.settled_ns, record.settled_ns);
    if (record.intended_ns < from || (record.flags & (kRedelivered | kUnstamped | kForeignRun))) return;
    bytes_.add(record.body_bytes);
    // With room since before the send, the broker passed it on at once.
    if (!before.may_wait || (before.limited && freed <= record.sent_ns)) {
      if (delivered_.size() < kMostSamples)
        delivered_.push_back(
            {static_cast<double>(std::max<Nanoseconds>(0, record.received_ns - record.sent_ns)),
             static_cast<double>(record.body_bytes)});
    } else if (before.limited && freed != 0 && record.sent_ns + kSurelyWaiting < freed) {
      keep(turnaround_, record.received_ns - freed);
    }
    if (before.works && before.declared_ns && record.done_ns != 0) add_work(before, record);
  });
}

// Of an effort that is drawn only the mean is known beforehand: of its overshoot, too.
void StepSamples::add_work(const Consumption& consumption, const DeliveryRecord& record) {
  const Nanoseconds over_ns =
      record.done_ns - record.started_ns - static_cast<Nanoseconds>(*consumption.declared_ns);
  if (consumption.constant) return keep(overshoot_, over_ns);
  drawn_over_ns_ += static_cast<double>(over_ns);
  ++drawn_;
}

std::vector<double> StepSamples::overshoot() const {
  if (!overshoot_.empty() || drawn_ == 0) return overshoot_;
  return std::vector<double>(drawn_, std::max(0.0, drawn_over_ns_ / static_cast<double>(drawn_)));
}

// Least squares of the delay over the size.
double StepSamples::per_byte_ns() const {
  if (!bytes_.any || bytes_.max < kTellingSizes * std::max(1.0, bytes_.min)) return 0;
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const Delivered& one : delivered_) {
    x += one.bytes;
    y += one.ns;
    xx += one.bytes * one.bytes;
    xy += one.bytes * one.ns;
  }
  const auto n = static_cast<double>(delivered_.size());
  const double spread = n * xx - x * x;
  return spread > 0 ? std::max(0.0, (n * xy - x * y) / spread) : 0;
}

std::vector<double> StepSamples::delivery() const {
  const double slope = per_byte_ns();
  std::vector<double> samples;
  samples.reserve(delivered_.size());
  for (const Delivered& one : delivered_) samples.push_back(std::max(0.0, one.ns - slope * one.bytes));
  return samples;
}

}  // namespace brokerlab
