#include "analysis/timing.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace brokerlab {
namespace {

constexpr Nanoseconds kLate = 10'000'000;

// 0 stands for "never".
void earlier(Nanoseconds& first, Nanoseconds other) {
  if (other != 0 && (first == 0 || other < first)) first = other;
}

double seconds(Nanoseconds value) {
  return static_cast<double>(value) / static_cast<double>(kNanosecondsPerSecond);
}

}  // namespace

std::optional<double> LittleSums::mismatch() const {
  if (!routes_known || copies_received == 0 || copies_sent != copies_received || waited_s <= 0)
    return std::nullopt;
  return std::abs((received_s - sent_s) - waited_s) / waited_s;
}

RunTiming::RunTiming(const RecordedRun& run, const RunAccounts& accounts)
    : run_(run),
      accounts_(accounts),
      t0_(run.evidence().t0_ns),
      measure_start_(run.evidence().measure_start()),
      latency_(run.roles().size()),
      series_(accounts.extent().last(run.evidence().t0_ns) - run.evidence().t0_ns) {
  read_publishes();
  read_deliveries();
  resolve_contested();
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
  if (copies) {
    series_.copies_sent(record.sent_ns - t0_, *copies);
    little_.copies_sent += *copies;
    little_.sent_s += static_cast<double>(*copies) * seconds(record.sent_ns - t0_);
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
  run_.each_delivery([&](std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord& record) {
    counts_.delivered += record.received_ns >= measure_start_;
    series_.delivered(record.received_ns - t0_, record.flags & kRedelivered);
    if (record.flags & (kUnstamped | kForeignRun)) return;
    const std::uint32_t role = run_.consumers()[consumer].role;
    if (record.intended_ns >= measure_start_) latency_.add_work(record, role);
    const Nanoseconds settled = Ledger::finished(record) ? record.settled_ns : 0;
    const bool counted = already_out(record, queue);
    const Contested copy{.publisher = record.publisher,
                         .sequence = record.sequence,
                         .queue = queue,
                         .role = role,
                         .intended = record.intended_ns,
                         .sent = record.sent_ns,
                         .received = record.received_ns,
                         .done = record.done_ns,
                         .finished = counted               ? 0
                                     : record.done_ns != 0 ? record.done_ns
                                                           : settled};
    if (accounts_.ledger().delivered_again(record.publisher, record.sequence, queue))
      contested_.push_back(copy);
    else
      add_first(copy);
  });
}

// A rejected message left the backlog with its rejection, wherever it went then. What expired, or was pushed
// out, leaves it when somebody takes it from the queue of dead letters.
bool RunTiming::already_out(const DeliveryRecord& record, std::uint32_t queue) const {
  return record.death == static_cast<std::uint8_t>(DeathReason::kRejected) &&
         accounts_.ledger().moved(record.publisher, record.sequence, queue);
}

void RunTiming::add_first(const Contested& copy) {
  ++little_.copies_received;
  little_.received_s += seconds(copy.received - t0_);
  little_.waited_s += seconds(copy.received - copy.sent);
  if (copy.finished != 0) series_.copy_done(copy.finished - t0_);
  if (copy.intended < measure_start_) return;
  latency_.add_arrival(copy.intended, copy.sent, copy.received, copy.done, copy.role);
  series_.end_to_end(copy.intended - t0_, copy.received - copy.intended);
}

void RunTiming::resolve_contested() {
  const auto key = [](const Contested& copy) {
    return std::tuple(copy.publisher, copy.queue, copy.sequence);
  };
  std::sort(contested_.begin(), contested_.end(), [&](const Contested& a, const Contested& b) {
    return std::tuple(key(a), a.received) < std::tuple(key(b), b.received);
  });
  for (std::size_t i = 0; i < contested_.size();) {
    Contested first = contested_[i];
    for (++i; i < contested_.size() && key(contested_[i]) == key(first); ++i) {
      earlier(first.done, contested_[i].done);
      earlier(first.finished, contested_[i].finished);
    }
    add_first(first);
  }
  contested_.clear();
  contested_.shrink_to_fit();
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
