#include "experiments/threshold.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

using Operator = ThresholdExpression::Operator;
using Unit = ThresholdMetric::Unit;

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

ThresholdMetric metric_named(std::string_view expression, const std::string& name,
                             const ThresholdNames& names) {
  std::vector<std::string> known;
  for (ThresholdMetric& metric : threshold_metrics(names)) {
    const bool same = metric.name == short_form(name) || metric.name == short_form(name) + "_per_s";
    if (same) return std::move(metric);
    known.push_back(metric.name);
  }
  const std::string nearest = nearest_word(short_form(name), known);
  refuse(expression, "unknown metric \"" + name + "\"",
         nearest.empty() ? "for example end_to_end.p99, rates.confirmed_per_s, ledger.lost, makespan"
                         : "did you mean \"" + nearest + "\"?");
}

double factor_of(std::string_view expression, std::string_view unit, const ThresholdMetric& metric,
                 double number) {
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

bool holds(const ThresholdExpression& threshold, double value) {
  switch (threshold.op) {
    case Operator::kLess:
      return value < threshold.limit;
    case Operator::kLessOrEqual:
      return value <= threshold.limit;
    case Operator::kGreater:
      return value > threshold.limit;
    case Operator::kGreaterOrEqual:
      return value >= threshold.limit;
    case Operator::kEqual:
      return value == threshold.limit;
    case Operator::kNotEqual:
      break;
  }
  return value != threshold.limit;
}

// Of two values that both hold.
bool nearer_to_limit(const ThresholdExpression& threshold, double value, double other) {
  return std::abs(value - threshold.limit) < std::abs(other - threshold.limit);
}

}  // namespace

ThresholdExpression parse_threshold(std::string_view expression, const ThresholdNames& names) {
  const auto [at, length] = find_operator(expression);
  ThresholdExpression threshold;
  threshold.text = expression;
  threshold.op = operator_named(expression, expression.substr(at, length));
  const ThresholdMetric metric =
      metric_named(expression, std::string(trimmed(expression.substr(0, at))), names);
  threshold.metric = metric.pointer;
  threshold.unit = metric.unit;
  threshold.live = metric.live;
  threshold.of_search = metric.name.starts_with("search.");
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

Threshold Threshold::from_json(const Json& entry) {
  if (entry.is_string()) return {entry.get<std::string>()};
  return {entry.at("expression").get<std::string>(), entry.at("abort").get<bool>(),
          parse_duration(entry.at("after"))};
}

std::string live_metric_names() {
  std::string names;
  for (const ThresholdMetric& metric : threshold_metrics())
    if (metric.live) names += (names.empty() ? "" : ", ") + metric.name;
  return names;
}

ThresholdOutcome evaluate(const ThresholdExpression& threshold, const Json& run) {
  ThresholdOutcome outcome;
  for (const double value : numbers_at(run, threshold.metric)) {
    const bool ok = holds(threshold, value);
    if (!outcome.value || (outcome.ok && (!ok || nearer_to_limit(threshold, value, *outcome.value)))) {
      outcome.value = value;
      outcome.ok = ok;
    }
  }
  return outcome;
}

}  // namespace brokerlab
