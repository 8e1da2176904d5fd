#include "analysis/metrics.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "core/units.h"

namespace brokerlab {
namespace {

constexpr auto kHeadlines = std::to_array<HeadlineMetric>({
    {"rates.published_per_s", "published", "/rates/published_per_s", MetricUnit::kPerSecond,
     BetterSide::kNeither},
    {"rates.delivered_per_s", "delivered", "/rates/delivered_per_s", MetricUnit::kPerSecond,
     BetterSide::kHigher},
    {"end_to_end.p50", "end-to-end p50", "/latency/end_to_end/p50_ns", MetricUnit::kNanoseconds,
     BetterSide::kLower},
    {"end_to_end.p99", "end-to-end p99", "/latency/end_to_end/p99_ns", MetricUnit::kNanoseconds,
     BetterSide::kLower},
    {"done.p50", "done p50", "/latency/done/p50_ns", MetricUnit::kNanoseconds, BetterSide::kLower},
    {"confirm.p50", "confirm p50", "/latency/confirm/p50_ns", MetricUnit::kNanoseconds, BetterSide::kLower},
    {"makespan", "makespan", "/makespan_ns", MetricUnit::kNanoseconds, BetterSide::kLower},
    {"work.idle_share", "workers idle", "/work/0/idle_share", MetricUnit::kShare, BetterSide::kLower},
    {"completion.p50", "completed p50", "/latency/completion/p50_ns", MetricUnit::kNanoseconds,
     BetterSide::kLower},
    {"pipeline.completed", "completed", "/pipeline/completed", MetricUnit::kCount, BetterSide::kHigher},
    {"pipeline.deliveries_per_completed", "deliveries/completed", "/pipeline/deliveries_per_completed",
     MetricUnit::kShare, BetterSide::kLower},
    {"pipeline.ignored_share", "ignored share", "/pipeline/ignored_share", MetricUnit::kShare,
     BetterSide::kLower, true, true},
    {"fairness.by_messages.jain", "fairness, messages", "/fairness/by_messages/jain", MetricUnit::kShare,
     BetterSide::kHigher},
    {"fairness.by_busy_time.jain", "fairness, busy time", "/fairness/by_busy_time/jain", MetricUnit::kShare,
     BetterSide::kHigher},
    {"ledger.published", "messages published", "/ledger/published", MetricUnit::kCount, BetterSide::kNeither},
    {"ledger.nacked", "refused by broker", "/ledger/nacked", MetricUnit::kCount, BetterSide::kLower, false,
     true},
    {"ledger.unknown", "outcome unknown", "/ledger/unknown", MetricUnit::kCount, BetterSide::kLower, false,
     true},
    {"ledger.deliveries", "deliveries", "/ledger/deliveries", MetricUnit::kCount, BetterSide::kNeither},
    {"ledger.lost", "lost", "/ledger/lost", MetricUnit::kCount, BetterSide::kLower, true, true},
    {"ledger.duplicates", "duplicates", "/ledger/duplicates", MetricUnit::kCount, BetterSide::kLower, true,
     true},
    {"ledger.unexpected", "unexpected", "/ledger/unexpected", MetricUnit::kCount, BetterSide::kLower, false,
     true},
    {"ledger.corrupted", "corrupted", "/ledger/corrupted", MetricUnit::kCount, BetterSide::kLower, false,
     true},
    {"ledger.order_violations", "out of order", "/ledger/order_violations", MetricUnit::kCount,
     BetterSide::kLower, false, true},
    {"ledger.dead_lettered", "dead letters", "/ledger/dead_lettered", MetricUnit::kCount,
     BetterSide::kNeither},
    {"recovery.redelivered", "redelivered", "/recovery/0/redelivered", MetricUnit::kCount,
     BetterSide::kNeither},
    {"recovery.wasted_work", "wasted work", "/recovery/0/wasted_work_ns", MetricUnit::kNanoseconds,
     BetterSide::kLower},
    {"network.amplification", "deliveries per task", "/network/amplification", MetricUnit::kShare,
     BetterSide::kLower},
    {"network.unroutable_share", "unroutable share", "/network/unroutable_share", MetricUnit::kShare,
     BetterSide::kLower, true, true},
    {"network.per_task.messages", "messages per task", "/network/per_task/messages", MetricUnit::kShare,
     BetterSide::kLower},
    {"network.per_task.bytes", "bytes per task", "/network/per_task/bytes", MetricUnit::kBytes,
     BetterSide::kLower},
});

}  // namespace

std::span<const HeadlineMetric> headline_metrics() { return kHeadlines; }

std::string_view to_text(MetricUnit unit) {
  switch (unit) {
    case MetricUnit::kNanoseconds:
      return "ns";
    case MetricUnit::kBytes:
      return "bytes";
    case MetricUnit::kPerSecond:
      return "per_s";
    case MetricUnit::kCount:
      return "count";
    case MetricUnit::kShare:
      break;
  }
  return "share";
}

std::string_view to_text(BetterSide side) {
  switch (side) {
    case BetterSide::kLower:
      return "lower";
    case BetterSide::kHigher:
      return "higher";
    case BetterSide::kNeither:
      break;
  }
  return "neither";
}

std::optional<double> metric_value(const HeadlineMetric& metric, const Json& run) {
  const JsonPointer pointer{std::string(metric.pointer)};
  if (!run.contains(pointer) || !run.at(pointer).is_number()) return std::nullopt;
  return run.at(pointer).get<double>();
}

std::string format_metric(MetricUnit unit, double value) {
  switch (unit) {
    case MetricUnit::kNanoseconds:
      return format_duration(static_cast<Nanoseconds>(std::llround(value)));
    case MetricUnit::kBytes:
      return format_bytes(static_cast<std::uint64_t>(std::llround(value)));
    case MetricUnit::kPerSecond:
      return format_rate(value);
    case MetricUnit::kCount:
      return format_count(static_cast<std::uint64_t>(std::llround(value)));
    case MetricUnit::kShare:
      break;
  }
  return fmt::format("{:.3f}", value);
}

}  // namespace brokerlab
