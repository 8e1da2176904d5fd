#include "analysis/depth_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/ledger.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kGrace = kNanosecondsPerSecond;
// A depth that may be of any instant within so long is of none.
constexpr Nanoseconds kVaguest = 100'000'000;
// A few messages on their way are no mismatch.
constexpr std::int64_t kLeastDepth = 100;

std::string why_unsound(const RecordedRun& run, const BrokerAccount& broker) {
  const RunEvidence& evidence = run.evidence();
  if (!evidence.faults.empty()) return "faults may move messages without our seeing it";
  if (!run.unreadable().empty()) return "a recording is missing";
  if (broker.queue_count() != evidence.queues.size()) return "the broker was not asked about every queue";
  for (const QueueEvidence& queue : evidence.queues) {
    if (queue.limited) return "the broker may drop messages of " + queue.name;
    if (!queue.dead_letter_queues || !queue.dead_letter_queues->empty())
      return "dead letters of " + queue.name + " move by themselves";
    if (!queue.ready_at_start) return "how many messages were there at the start is not known";
  }
  return "";
}

}  // namespace

DepthCheck::DepthCheck(const RecordedRun& run, const BrokerAccount& broker)
    : t0_(run.evidence().t0_ns), unsound_(why_unsound(run, broker)) {
  const RunEvidence& evidence = run.evidence();
  const Nanoseconds end = evidence.drain_end_ns.value_or(evidence.load_end_ns.value_or(t0_));
  for (const BrokerAccount::Depth& depth : broker.depths()) {
    if (!depth.ready || !depth.unacked || depth.lag_ns != 0 || depth.until_ns - depth.at_ns > kVaguest)
      continue;
    if (depth.at_ns < t0_ || depth.until_ns > end) continue;
    points_.push_back({depth.at_ns, depth.until_ns, *depth.ready + *depth.unacked});
  }
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.at_ns < b.at_ns; });
  if (unsound_.empty() && points_.empty()) unsound_ = "no depth was told at a known instant";
  least_.resize(points_.size() + 1);
  most_.resize(points_.size() + 1);
  for (const QueueEvidence& queue : evidence.queues) {
    least_.front() += queue.ready_at_start.value_or(0);
    most_.front() += queue.ready_at_start.value_or(0);
  }
}

void DepthCheck::change(std::vector<std::int64_t>& changes, Nanoseconds at, std::int64_t by,
                        bool by_end) const {
  const auto point = std::lower_bound(
      points_.begin(), points_.end(), at,
      [&](const Point& each, Nanoseconds t) { return (by_end ? each.until_ns : each.at_ns) < t; });
  changes[static_cast<std::size_t>(point - points_.begin())] += by;
}

void DepthCheck::add(const PublishRecord& record, std::optional<std::int64_t> copies) {
  if (!unsound_.empty()) return;
  if (!copies) {
    unsound_ = "where messages went is not known";
    return;
  }
  change(most_, record.sent_ns, *copies, true);
  if ((record.outcome & kConfirmed) != 0 && record.settled_ns != 0)
    change(least_, record.settled_ns, *copies, false);
}

void DepthCheck::add(const DeliveryRecord& record, bool automatic) {
  if (!unsound_.empty() || (record.flags & (kUnstamped | kForeignRun)) != 0) return;
  if (automatic) {  // gone when it was sent out, at any time before it came here
    change(least_, record.sent_ns, -1, true);
    change(most_, record.received_ns, -1, false);
  } else if (Ledger::finished(record) && record.settled_ns != 0) {
    change(least_, record.settled_ns, -1, true);
    change(most_, record.settled_ns + kGrace, -1, false);
  }
}

std::optional<DepthCheck::Outcome> DepthCheck::outcome() const {
  if (!unsound_.empty()) return std::nullopt;
  std::int64_t deepest = kLeastDepth, least = 0, most = 0, farthest = -1;
  Outcome outcome;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const Point& point = points_[i];
    least += least_[i];
    most += most_[i];
    deepest = std::max({deepest, point.depth, least});
    const std::int64_t outside =
        std::max<std::int64_t>({0, std::max<std::int64_t>(0, least) - point.depth, point.depth - most});
    if (outside <= farthest) continue;
    farthest = outside;
    outcome.detail = fmt::format(
        "{:.3f} s after the start the broker told of {} messages in the queues, by the recordings {} to {} "
        "were",
        static_cast<double>(point.at_ns - t0_) / 1e9, point.depth, std::max<std::int64_t>(0, least), most);
  }
  outcome.share = static_cast<double>(std::max<std::int64_t>(0, farthest)) / static_cast<double>(deepest);
  return outcome;
}

}  // namespace brokerlab
