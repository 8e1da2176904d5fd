#include "experiments/threshold_metric.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/operation.h"
#include "experiments/meaning.h"
#include "experiments/origin.h"

namespace brokerlab {
namespace {

using Unit = ThresholdMetric::Unit;

constexpr std::array kStreams{"end_to_end",    "done",        "confirm",   "confirm_from_intended",
                              "send_delay",    "write_block", "delivery",  "service",
                              "prefetch_wait", "ack",         "completion"};
constexpr std::array kRates{"offered_per_s", "published_per_s", "confirmed_per_s", "delivered_per_s",
                            "role_published_per_s"};
constexpr std::array kLedger{"published",
                             "confirmed",
                             "returned",
                             "nacked",
                             "unknown",
                             "refused",
                             "unconfirmed_by_design",
                             "copies",
                             "deliveries",
                             "unique",
                             "duplicates",
                             "duplicated",
                             "dead_lettered",
                             "dead_letters.rejected",
                             "dead_letters.expired",
                             "dead_letters.maxlen",
                             "dead_letters.delivery_limit",
                             "dead_letters_from_elsewhere",
                             "redelivered_flag",
                             "done",
                             "done_again",
                             "lost",
                             "lost_by_design",
                             "outstanding",
                             "missing_unconfirmed",
                             "recovered",
                             "unexpected",
                             "order_violations",
                             "affinity_violations",
                             "settled_automatically",
                             "acked",
                             "acked_after_work",
                             "ignored",
                             "unreadable",
                             "verified",
                             "corrupted",
                             "requeued",
                             "rejected",
                             "rerouted",
                             "foreign",
                             "unlisted"};
constexpr std::array kNetwork{"messages",      "messages_to_broker", "messages_from_broker",
                              "frames",        "frames_to_broker",   "frames_from_broker",
                              "tasks",         "amplification",      "unroutable_share",
                              "ignored_share", "per_task.messages",  "per_task.frames"};
constexpr std::array kPipeline{
    "submitted", "completed",     "deliveries", "deliveries_per_completed", "messages_per_completed",
    "ignored",   "ignored_share", "hop_limited"};
constexpr std::array kSharding{"keys", "chi_square", "df", "p_value", "affinity_violations", "unplaced"};
constexpr std::array kChanges{"members_before", "keys_compared", "moved",   "moved_share",
                              "ideal",          "formula",       "stranded"};
constexpr std::array kQueue{"copies",       "deliveries",     "unique", "duplicates",    "done",
                            "ready_at_end", "unacked_at_end", "lost",   "dead_lettered", "moved_in"};
constexpr std::array kWork{"workers", "tasks", "idle_share"};
constexpr std::array kWorkTimes{"service", "longest", "lower_bound"};
constexpr std::array kTheory{"workers",     "queues",       "prefetch",   "tasks",
                             "utilisation", "arrivals.scv", "service.scv"};
constexpr std::array kTheoryTimes{
    "service.mean", "service.turnaround", "model.mean",      "model.p50",     "model.p90",
    "model.p99",    "makespan.measured",  "makespan.replay", "makespan.push", "makespan.fair"};
constexpr std::array kTheoryErrors{"mean", "p50", "p90", "p99"};
constexpr std::array kRecovery{"redelivered", "unacked", "unacked_redelivered", "in_hand"};
constexpr std::array kRecoveryTimes{"at",      "ended",       "first_redelivery", "last_redelivery",
                                    "drained", "reconnected", "backlog_back",     "wasted_work"};
constexpr std::array kConsumer{"received", "messages"};
constexpr std::array kConsumerTimes{"busy", "idle"};
constexpr std::array kDeadLetters{"other"};
// What the processes of a run tell while it goes on.
constexpr std::array kLive{"rates.published_per_s",   "rates.confirmed_per_s", "rates.delivered_per_s",
                           "ledger.published",        "ledger.confirmed",      "ledger.returned",
                           "ledger.nacked",           "ledger.deliveries",     "ledger.done",
                           "ledger.redelivered_flag", "ledger.ignored",        "ledger.unreadable",
                           "ledger.corrupted"};
// What a search comes to, in its entry of a variant.
constexpr std::array kSearch{"sustained_per_s", "lowest_failed_per_s"};
constexpr std::array kNetworkBytes{"bytes", "bytes_to_broker", "bytes_from_broker", "per_task.bytes"};

// Collects metrics below one place of a run, under one prefix of names.
class MetricList {
 public:
  // "a.b" is /a/b, with `suffix` (the unit in a result's key, which names leave out) at its end.
  template <typename Names>
  void add(const std::string& prefix, const JsonPointer& below, const Names& names, Unit unit) {
    const std::string suffix = unit == Unit::kNanoseconds ? "_ns" : "";
    for (const char* name : names) {
      std::string path = "/" + std::string(name) + suffix;
      std::replace(path.begin(), path.end(), '.', '/');
      metrics_.push_back({prefix + name, below / JsonPointer(path), unit});
    }
  }

  void add_stream(const std::string& prefix, const JsonPointer& below) {
    static constexpr std::array kCounts{"count"};
    static constexpr std::array kStatistics{"mean", "min", "max", "p50", "p90", "p99", "p99_9"};
    add(prefix, below, kCounts, Unit::kNumber);
    add(prefix, below, kStatistics, Unit::kNanoseconds);
  }

  void add_streams(const std::string& prefix, const JsonPointer& below) {
    for (const char* stream : kStreams) add_stream(prefix + stream + ".", below / stream);
  }

  void add_fairness(const std::string& prefix, const JsonPointer& below) {
    static constexpr std::array kIndices{"jain", "gini", "cv", "max_min_ratio"};
    for (const char* by : {"by_messages", "by_bytes", "by_busy_time"})
      add(prefix + by + ".", below / by, kIndices, Unit::kNumber);
  }

  void add_work(const std::string& prefix, const JsonPointer& below) {
    add(prefix, below, kWork, Unit::kNumber);
    add(prefix, below, kWorkTimes, Unit::kNanoseconds);
  }

  void add_theory(const std::string& prefix, const JsonPointer& below) {
    add(prefix, below, kTheory, Unit::kNumber);
    add(prefix, below, kTheoryTimes, Unit::kNanoseconds);
    add(prefix, below, std::array{"arrivals.rate_per_s"}, Unit::kPerSecond);
    for (const char* stream : {"measured", "replay"}) add_stream(prefix + stream + ".", below / stream);
    for (const char* of : {"replay", "model"})
      add(prefix + of + ".error.", below / of / "error", kTheoryErrors, Unit::kNumber);
  }

  std::vector<ThresholdMetric> finish() && {
    for (ThresholdMetric& metric : metrics_)
      metric.live = std::find(kLive.begin(), kLive.end(), metric.name) != kLive.end();
    return std::move(metrics_);
  }

 private:
  std::vector<ThresholdMetric> metrics_;
};

void add_numbers(const Json& value, const std::vector<std::string>& tokens, std::size_t next,
                 std::vector<double>& numbers) {
  if (next == tokens.size()) {
    if (value.is_number()) numbers.push_back(value.get<double>());
    return;
  }
  const std::string& token = tokens[next];
  if (value.is_array()) {
    const std::size_t equals = token.find('=');
    for (const Json& entry : value) {
      const bool chosen =
          token == "*" || (equals != std::string::npos && entry.is_object() &&
                           entry.value(token.substr(0, equals), "") == token.substr(equals + 1));
      if (chosen) add_numbers(entry, tokens, next + 1, numbers);
    }
  } else if (value.is_object() && value.contains(token)) {
    add_numbers(value.at(token), tokens, next + 1, numbers);
  }
}

}  // namespace

const char* to_text(ThresholdMetric::Unit unit) {
  switch (unit) {
    case Unit::kNanoseconds:
      return "ns";
    case Unit::kBytes:
      return "bytes";
    case Unit::kPerSecond:
      return "per_s";
    case Unit::kNumber:
      break;
  }
  return "count";
}

ThresholdNames ThresholdNames::of(const Json& experiment) {
  ThresholdNames names;
  for (const Json& role : list_at(experiment, "roles")) names.roles.push_back(text_at(role, "role"));
  const DeclaredNames declared = declared_names(experiment);
  for (const auto& [queue, unused] : declared.queues) names.queues.push_back(queue);
  return names;
}

std::vector<ThresholdMetric> threshold_metrics(const ThresholdNames& names) {
  MetricList list;
  const JsonPointer latency("/latency"), fairness("/fairness"), ledger("/ledger"), network("/network");
  list.add_streams("", latency);
  // What is asked of the broker apart from messages: from its start, and from when it was due.
  for (std::size_t kind = 0; kind < kOperationKinds; ++kind) {
    const std::string operation(to_text(static_cast<OperationKind>(kind)));
    for (const std::string& stream : {operation, operation + "_from_intended"})
      list.add_stream(stream + ".", latency / stream);
  }
  for (const char* stream : {"end_to_end", "done"})
    list.add_stream("steady." + std::string(stream) + ".", JsonPointer("/steady") / stream);
  list.add_fairness("fairness.", fairness);
  list.add("fairness.consumers.", fairness / "consumers" / "*", kConsumer, Unit::kNumber);
  list.add("fairness.consumers.", fairness / "consumers" / "*", std::array{"bytes"}, Unit::kBytes);
  list.add("fairness.consumers.", fairness / "consumers" / "*", kConsumerTimes, Unit::kNanoseconds);
  list.add("rates.", JsonPointer("/rates"), kRates, Unit::kPerSecond);
  list.add("ledger.", ledger, kLedger, Unit::kNumber);
  list.add("ledger.dead_letters.", ledger / "dead_letters", kDeadLetters, Unit::kNumber);
  list.add("network.", network, kNetwork, Unit::kNumber);
  list.add("network.", network, kNetworkBytes, Unit::kBytes);
  list.add("pipeline.", JsonPointer("/pipeline"), kPipeline, Unit::kNumber);
  list.add("sharding.", JsonPointer("/sharding"), kSharding, Unit::kNumber);
  list.add("sharding.changes.", JsonPointer("/sharding/changes/*"), kChanges, Unit::kNumber);
  list.add("sharding.changes.", JsonPointer("/sharding/changes/*"), std::array{"at"}, Unit::kNanoseconds);
  list.add("recovery.", JsonPointer("/recovery/*"), kRecovery, Unit::kNumber);
  list.add("recovery.", JsonPointer("/recovery/*"), kRecoveryTimes, Unit::kNanoseconds);
  list.add_work("work.", JsonPointer("/work/*"));
  list.add_theory("theory.", JsonPointer("/theory/*"));
  list.add("", JsonPointer(), std::array{"makespan"}, Unit::kNanoseconds);
  list.add("backlog.", JsonPointer("/backlog"), std::array{"growth_per_s"}, Unit::kPerSecond);
  list.add("backlog.", JsonPointer("/backlog"), std::array{"growth_share"}, Unit::kNumber);
  list.add("search.", JsonPointer("/search"), kSearch, Unit::kPerSecond);
  for (const std::string& role : names.roles) {
    list.add_streams("by_role." + role + ".", latency / "by_role" / role);
    list.add_stream("stages." + role + ".", latency / "stages" / role);
    list.add_fairness("fairness.by_role." + role + ".", fairness / "by_role" / role);
    list.add_work("work." + role + ".", JsonPointer("/work") / ("role=" + role));
    list.add_theory("theory." + role + ".", JsonPointer("/theory") / ("role=" + role));
  }
  for (const std::string& queue : names.queues) {
    list.add_fairness("fairness.by_queue." + queue + ".", fairness / "by_queue" / queue);
    list.add("ledger.queues." + queue + ".", ledger / "queues" / ("queue=" + queue), kQueue, Unit::kNumber);
  }
  return std::move(list).finish();
}

std::vector<double> numbers_at(const Json& run, const JsonPointer& pointer) {
  std::vector<double> numbers;
  add_numbers(run, tokens_of(pointer), 0, numbers);
  return numbers;
}

}  // namespace brokerlab
