#include "analysis/timing.h"

#include <algorithm>
#include <cmath>

namespace brokerlab {
namespace {

constexpr Nanoseconds kLate = 10'000'000;

double seconds(Nanoseconds value) {
  return static_cast<double>(value) / static_cast<double>(kNanosecondsPerSecond);
}

}  // namespace

std::optional<double> LittleSums::mismatch() const {
  if (!routes_known || copies_received == 0 || copies_sent != copies_received || waited_s <= 0)
    return std::nullopt;
  return std::abs((received_s - sent_s) - waited_s) / waited_s;
}

RunTiming::RunTiming(const RecordedRun& run, const RunAccounts& accounts, DepthCheck* depths)
    : run_(run),
      accounts_(accounts),
      depths_(depths),
      t0_(run.evidence().t0_ns),
      measure_start_(run.evidence().measure_start()),
      latency_(run.roles().size()),
      series_(accounts.extent().last(run.evidence().t0_ns) - run.evidence().t0_ns) {
  read_publishes();
  read_deliveries();
  count_unsent();
}

void RunTiming::read_publishes() {
  run_.each_publish(
      [&](const RecordedProcess& process, std::uint32_t publisher, const PublishRecord& record) {
        add_publish(run_.evidence_of(process).is_load, publisher, record);
      });
}

void RunTiming::add_publish(bool load, std::uint32_t publisher, const PublishRecord& record) {
  const bool measured = record.intended_ns >= measure_start_;
  if (load) {
    series_.offered(record.intended_ns - t0_);
    counts_.offered += measured;
  }
  if (record.outcome & kRefused) return;
  const auto copies = accounts_.ledger().copies_of(publisher, record);
  if (depths_ != nullptr) depths_->add(record, copies);
  if (copies) {
    series_.copies_sent(record.sent_ns - t0_, *copies);
    little_.copies_sent += *copies;
    little_.sent_s += static_cast<double>(*copies) * seconds(record.sent_ns - t0_);
    // What the broker refused waits nowhere.
    const bool refused = (record.outcome & kNacked) != 0 && record.settled_ns != 0;
    if (refused && !accounts_.ledger().delivered(publisher, record.sequence))
      series_.copies_sent(record.settled_ns - t0_, -*copies);
  } else {
    series_.backlog_unknown();
    little_.routes_known = false;
  }
  if (!load) {
    counts_.role_published += record.sent_ns >= measure_start_;
    return;
  }
  series_.published(record.sent_ns - t0_);
  counts_.published += record.sent_ns >= measure_start_;
  if ((record.outcome & kConfirmed) && record.settled_ns != 0) {
    series_.confirmed(record.settled_ns - t0_);
    counts_.confirmed += record.settled_ns >= measure_start_;
  }
  if (!measured) return;
  latency_.add_publish(record);
  series_.send_delay(record.intended_ns - t0_, record.sent_ns - record.intended_ns);
  counts_.late += record.sent_ns - record.intended_ns > kLate;
}

void RunTiming::read_deliveries() {
  FirstArrivals arrivals(run_, accounts_, [this](const FirstArrival& arrival) { add_arrival(arrival); });
  run_.each_delivery([&](std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord& record) {
    counts_.delivered += record.received_ns >= measure_start_;
    series_.delivered(record.received_ns - t0_, record.flags & kRedelivered);
    if (depths_ != nullptr) depths_->add(record, run_.consumers()[consumer].automatic);
    if (record.flags & (kUnstamped | kForeignRun)) return;
    if (record.intended_ns >= measure_start_) latency_.add_work(record, run_.consumers()[consumer].role);
    arrivals.add(consumer, queue, record);
  });
  arrivals.finish();
}

void RunTiming::add_arrival(const FirstArrival& arrival) {
  ++little_.copies_received;
  little_.received_s += seconds(arrival.received - t0_);
  little_.waited_s += seconds(arrival.received - arrival.sent);
  if (arrival.finished != 0) series_.copy_done(arrival.finished - t0_);
  if (arrival.intended < measure_start_) return;
  latency_.add_arrival(arrival.intended, arrival.sent, arrival.received, arrival.done, arrival.role);
  series_.end_to_end(arrival.intended - t0_, arrival.received - arrival.intended);
}

// Messages that were due but never left belong to what was offered.
void RunTiming::count_unsent() {
  for (const RecordedProcess& process : run_.processes()) {
    if (!process.reader || !run_.evidence_of(process).is_load) continue;
    std::int64_t recorded = 0;
    process.reader->each_publish([&](std::span<const PublishRecord> records) {
      recorded += static_cast<std::int64_t>(records.size());
    });
    counts_.offered += std::max<std::int64_t>(0, process.reader->counters().scheduled - recorded);
  }
}

std::optional<Nanoseconds> RunTiming::load_ns() const {
  const RunExtent& extent = accounts_.extent();
  if (!extent.first_sent) return std::nullopt;
  const Nanoseconds end =
      std::max(run_.evidence().load_end_ns.value_or(*extent.last_sent), *extent.first_sent);
  return end > measure_start_ ? std::optional(end - measure_start_) : std::nullopt;
}

Json RunTiming::rates() const {
  const RunExtent& extent = accounts_.extent();
  Json json = Json::object();
  const Nanoseconds load_end = measure_start_ + load_ns().value_or(0);
  const auto rate = [&](const char* name, std::int64_t count, std::optional<Nanoseconds> last) {
    const Nanoseconds end = std::max(load_end, last.value_or(load_end));
    if (end > measure_start_) json[name] = static_cast<double>(count) / seconds(end - measure_start_);
  };
  if (accounts_.tasks() > 0) {
    rate("offered_per_s", counts_.offered, std::nullopt);
    rate("published_per_s", counts_.published, std::nullopt);
    if (accounts_.account().unconfirmed_by_design < accounts_.account().published)
      rate("confirmed_per_s", counts_.confirmed, extent.last_settled);
  }
  if (!run_.consumers().empty()) rate("delivered_per_s", counts_.delivered, extent.last_received);
  if (counts_.role_published > 0) rate("role_published_per_s", counts_.role_published, extent.last_sent);
  return json;
}

std::optional<double> RunTiming::late_share() const {
  const Histogram* delays = latency_.all().find(LatencyStream::kSendDelay);
  const std::int64_t samples = delays ? delays->count() + delays->below_range() + delays->above_range() : 0;
  if (samples == 0) return std::nullopt;
  return static_cast<double>(counts_.late) / static_cast<double>(samples);
}

Json RunTiming::series_json() const {
  return series_.to_json(accounts_.tasks() > 0, !run_.consumers().empty());
}

}  // namespace brokerlab
