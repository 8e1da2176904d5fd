#include "experiments/threshold.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace brokerlab {
namespace {

using Operator = ThresholdExpression::Operator;

// What a metric's number counts, and thereby which units a limit may carry.
enum class Unit { kNumber, kNanoseconds, kBytes, kPerSecond };

struct Metric {
  std::string name;  // short form
  JsonPointer pointer;
  Unit unit = Unit::kNumber;
};

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
    "submitted",     "completed",  "deliveries_per_completed", "messages_per_completed", "ignored",
    "ignored_share", "hop_limited"};
constexpr std::array kSharding{"keys", "chi_square", "p_value", "affinity_violations"};
constexpr std::array kNetworkBytes{"bytes", "bytes_to_broker", "bytes_from_broker", "per_task.bytes"};

// "a.b" -> /a/b: no key of a result has a dot, but for names of roles, which are added key by key.
JsonPointer pointer_of(const std::string& name) {
  std::string path = "/" + name;
  std::replace(path.begin(), path.end(), '.', '/');
  return JsonPointer(path);
}

void add_streams(const std::string& prefix, const JsonPointer& below, std::vector<Metric>& metrics) {
  for (const char* stream : kStreams) {
    const std::string name = prefix + stream;
    const JsonPointer at = below / stream;
    metrics.push_back({name + ".count", at / "count", Unit::kNumber});
    for (const char* statistic : {"mean", "min", "max", "p50", "p90", "p99", "p99_9"}) {
      metrics.push_back({name + "." + statistic, at / (std::string(statistic) + "_ns"), Unit::kNanoseconds});
    }
  }
}

void add_fairness(const std::string& prefix, const JsonPointer& below, std::vector<Metric>& metrics) {
  for (const char* by : {"by_messages", "by_bytes", "by_busy_time"}) {
    for (const char* index : {"jain", "gini", "cv", "max_min_ratio"}) {
      metrics.push_back({prefix + by + "." + index, below / by / index, Unit::kNumber});
    }
  }
}

std::vector<Metric> all_metrics(const std::vector<std::string>& roles) {
  std::vector<Metric> metrics;
  const auto add = [&](const std::string& room, const auto& names, Unit unit) {
    for (const char* name : names) metrics.push_back({room + name, pointer_of(room + name), unit});
  };
  add_streams("", JsonPointer("/latency"), metrics);
  add_fairness("fairness.", JsonPointer("/fairness"), metrics);
  for (const std::string& role : roles) {
    add_streams("by_role." + role + ".", JsonPointer("/latency/by_role") / role, metrics);
    add_fairness("fairness.by_role." + role + ".", JsonPointer("/fairness/by_role") / role, metrics);
  }
  add("rates.", kRates, Unit::kPerSecond);
  add("ledger.", kLedger, Unit::kNumber);
  add("network.", kNetwork, Unit::kNumber);
  add("network.", kNetworkBytes, Unit::kBytes);
  add("pipeline.", kPipeline, Unit::kNumber);
  add("sharding.", kSharding, Unit::kNumber);
  metrics.push_back({"makespan", JsonPointer("/makespan_ns"), Unit::kNanoseconds});
  return metrics;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

[[noreturn]] void refuse(std::string_view expression, const std::string& what, const std::string& remedy) {
  throw Error("threshold \"" + std::string(expression) + "\": " + what, "", remedy, ExitStatus::kUsage);
}

// The unit at the end of a result's key may be written or left out, and "latency." before a stream too.
std::string short_form(std::string name) {
  constexpr std::string_view kLatency = "latency.", kUnit = "_ns";
  if (name.starts_with(kLatency)) name.erase(0, kLatency.size());
  if (name.ends_with(kUnit)) name.resize(name.size() - kUnit.size());
  return name;
}

Metric metric_named(std::string_view expression, const std::string& name,
                    const std::vector<std::string>& roles) {
  std::vector<std::string> names;
  for (Metric& metric : all_metrics(roles)) {
    const bool same = metric.name == short_form(name) || metric.name == short_form(name) + "_per_s";
    if (same) return std::move(metric);
    names.push_back(metric.name);
  }
  const std::string nearest = nearest_word(short_form(name), names);
  refuse(expression, "unknown metric \"" + name + "\"",
         nearest.empty() ? "for example end_to_end.p99, rates.confirmed_per_s, ledger.lost, makespan"
                         : "did you mean \"" + nearest + "\"?");
}

double factor_of(std::string_view expression, std::string_view unit, const Metric& metric, double number) {
  static const std::vector<std::pair<std::string_view, double>> durations{
      {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  static const std::vector<std::pair<std::string_view, double>> sizes{
      {"", 1}, {"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"KiB", 1024}, {"MiB", 1024 * 1024}};
  static const std::vector<std::pair<std::string_view, double>> rates{{"", 1}, {"/s", 1}, {"k/s", 1e3}};
  static const std::vector<std::pair<std::string_view, double>> numbers{{"", 1}, {"%", 0.01}};
  const auto& known = metric.unit == Unit::kNanoseconds ? durations
                      : metric.unit == Unit::kBytes     ? sizes
                      : metric.unit == Unit::kPerSecond ? rates
                                                        : numbers;
  for (const auto& [name, factor] : known) {
    if (name == unit) return factor;
  }
  if (unit.empty() && number == 0) return 1;
  if (unit.empty()) refuse(expression, metric.name + " is a time: the limit has no unit", "e.g. 50ms");
  refuse(expression, "\"" + std::string(unit) + "\" is no unit of " + metric.name,
         metric.unit == Unit::kNanoseconds ? "one of ns, us, ms, s, m, h" : "a plain number");
}

// Position and length of the operator.
std::pair<std::size_t, std::size_t> find_operator(std::string_view expression) {
  const std::size_t at = expression.find_first_of("<>=!");
  if (at == std::string_view::npos)
    refuse(expression, "no comparison", "for example \"end_to_end.p99 < 50ms\"");
  const bool two = at + 1 < expression.size() && expression[at + 1] == '=';
  return {at, two ? 2 : 1};
}

Operator operator_named(std::string_view expression, std::string_view symbol) {
  static const std::vector<std::pair<std::string_view, Operator>> known{
      {"<", Operator::kLess},    {"<=", Operator::kLessOrEqual},
      {">", Operator::kGreater}, {">=", Operator::kGreaterOrEqual},
      {"==", Operator::kEqual},  {"!=", Operator::kNotEqual}};
  for (const auto& [name, op] : known) {
    if (name == symbol) return op;
  }
  refuse(expression, "\"" + std::string(symbol) + "\" is no comparison", "one of < <= > >= == !=");
}

}  // namespace

ThresholdExpression parse_threshold(std::string_view expression, const std::vector<std::string>& roles) {
  const auto [at, length] = find_operator(expression);
  ThresholdExpression threshold;
  threshold.text = expression;
  threshold.op = operator_named(expression, expression.substr(at, length));
  const Metric metric = metric_named(expression, std::string(trimmed(expression.substr(0, at))), roles);
  threshold.metric = metric.pointer;
  const std::string_view right = trimmed(expression.substr(at + length));
  double number = 0;
  const auto [end, error] = std::from_chars(right.data(), right.data() + right.size(), number);
  if (error != std::errc() || !std::isfinite(number)) {
    refuse(expression, "\"" + std::string(right) + "\" is no number",
           "a number, with a unit where the metric has one");
  }
  const std::string_view unit = trimmed(right.substr(static_cast<std::size_t>(end - right.data())));
  threshold.limit = number * factor_of(expression, unit, metric, number);
  return threshold;
}

ThresholdOutcome evaluate(const ThresholdExpression& threshold, const Json& run) {
  ThresholdOutcome outcome;
  if (!run.contains(threshold.metric) || !run[threshold.metric].is_number()) return outcome;
  const double value = run[threshold.metric];
  outcome.value = value;
  switch (threshold.op) {
    case Operator::kLess:
      outcome.ok = value < threshold.limit;
      break;
    case Operator::kLessOrEqual:
      outcome.ok = value <= threshold.limit;
      break;
    case Operator::kGreater:
      outcome.ok = value > threshold.limit;
      break;
    case Operator::kGreaterOrEqual:
      outcome.ok = value >= threshold.limit;
      break;
    case Operator::kEqual:
      outcome.ok = value == threshold.limit;
      break;
    case Operator::kNotEqual:
      outcome.ok = value != threshold.limit;
      break;
  }
  return outcome;
}

std::vector<std::string> threshold_metrics(const std::vector<std::string>& roles) {
  std::vector<std::string> names;
  for (const Metric& metric : all_metrics(roles)) names.push_back(metric.name);
  return names;
}

}  // namespace brokerlab
