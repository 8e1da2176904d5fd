#include "experiments/trial_judgement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/rate_text.h"
#include "core/units.h"
#include "experiments/meaning.h"

namespace brokerlab {
namespace {

using Operator = ThresholdExpression::Operator;

const Json* flag_of(const Json& run, std::string_view name) {
  for (const Json& flag : list_at(run, "flags"))
    if (text_at(flag, "name") == name) return &flag;
  return nullptr;
}

bool fails(const Json& run, std::string_view name) {
  const Json* flag = flag_of(run, name);
  return flag != nullptr && text_at(*flag, "state") == "fail";
}

std::string value_text(const ThresholdExpression& condition, double value) {
  switch (condition.unit) {
    case ThresholdMetric::Unit::kNanoseconds:
      return format_duration(static_cast<Nanoseconds>(std::llround(value)));
    case ThresholdMetric::Unit::kPerSecond:
      return fmt::format("{:.4g}/s", value);
    case ThresholdMetric::Unit::kBytes:
      return format_bytes(static_cast<std::uint64_t>(std::max(0.0, value)));
    case ThresholdMetric::Unit::kNumber:
      break;
  }
  return fmt::format("{:.4g}", value);
}

// A percentile is withheld where too few samples stand beyond it. Where the greatest sample of all keeps an
// upper limit, so does every percentile.
std::optional<double> kept_by_greatest(const ThresholdExpression& condition, const Json& run) {
  const bool upper = condition.op == Operator::kLess || condition.op == Operator::kLessOrEqual;
  const std::string name = condition.metric.back();
  if (!upper || !name.starts_with("p") || !name.ends_with("_ns")) return std::nullopt;
  ThresholdExpression greatest = condition;
  greatest.metric.pop_back();
  greatest.metric /= "max_ns";
  const ThresholdOutcome outcome = evaluate(greatest, run);
  return outcome.ok ? outcome.value : std::nullopt;
}

// "the backlog grew by 12.3/s, which is 3.1 % of what was published".
std::string growth_text(const Json& run) {
  const Json& backlog = member(run, "backlog");
  return fmt::format("the backlog grew by {}, {:.3g} % of what was published",
                     format_whole_rate(backlog.value("growth_per_s", 0.0)),
                     100 * backlog.value("growth_share", 0.0));
}

std::string missed_text(const ThresholdExpression& condition, double value, const Json& run) {
  const std::string metric = condition.metric.to_string();
  const bool upper = condition.op == Operator::kLess || condition.op == Operator::kLessOrEqual;
  if (metric.starts_with("/backlog/") && upper) return growth_text(run);
  if (metric == "/ledger/lost" && condition.text == "ledger.lost == 0")
    return fmt::format("{:.0f} messages were lost", value);
  return fmt::format("{} does not hold: {}", condition.text, value_text(condition, value));
}

// What a flag says, with its figure.
std::string flag_text(const Json& run, std::string_view name) {
  const Json& flag = *flag_of(run, name);
  std::string text = text_at(flag, "reason");
  text = text.substr(0, text.find(':'));
  if (const std::string detail = text_at(flag, "detail"); !detail.empty()) return text + " (" + detail + ")";
  if (!member(flag, "value").is_number()) return text;
  const double value = flag.at("value");
  const std::string unit = text_at(flag, "unit");
  if (unit == "share") return fmt::format("{} ({:.3g} %)", text, 100 * value);
  if (unit == "ns") return fmt::format("{} ({})", text, format_duration(std::llround(value)));
  return text;
}

}  // namespace

TrialJudgement::TrialJudgement(const Json& experiment, const SearchSpec& spec)
    // Behind by more than this, the rate that was put on is off by more than the search is to be.
    : latest_ns_(spec.range().precision * static_cast<double>(spec.load_ns())),
      limit_of_machine_(spec.limit_of_machine()) {
  const ThresholdNames names = ThresholdNames::of(experiment);
  for (const std::string& text : spec.conditions()) conditions_.push_back(parse_threshold(text, names));
}

TrialVerdict TrialJudgement::judge(const Json& run) const {
  TrialVerdict verdict;
  const bool drained = run.value("drained", true);
  // A process that died, a recording that is broken, an account that does not balance: nothing can be told.
  // Without a full drain every verdict is unknown, and a loss is the broker's.
  const Json& own = member(run, "verdict");
  if (drained && text_at(own, "status") != "valid" && !fails(run, "CONFIRMED_LOST")) {
    verdict.outcome = TrialOutcome::kUndecided;
    for (const Json& reason : list_at(own, "reasons")) verdict.reasons.push_back(reason);
    return verdict;
  }
  if (!drained) {
    verdict.outcome = TrialOutcome::kNotSustained;
    verdict.reasons.emplace_back("the queues were not drained in time");
  }
  const bool only_slow = check_conditions(run, verdict) && drained;
  check_sending(run, verdict);
  if (verdict.outcome == TrialOutcome::kNotSustained) excuse(run, only_slow, verdict);
  return verdict;
}

// Whether nothing but limits of times was missed.
bool TrialJudgement::check_conditions(const Json& run, TrialVerdict& verdict) const {
  bool only_slow = true;
  std::vector<std::string> unmeasured;
  for (const ThresholdExpression& condition : conditions_) {
    const ThresholdOutcome outcome = evaluate(condition, run);
    if (outcome.ok) continue;
    if (outcome.value) {
      verdict.outcome = TrialOutcome::kNotSustained;
      verdict.reasons.push_back(missed_text(condition, *outcome.value, run));
      only_slow &= condition.unit == ThresholdMetric::Unit::kNanoseconds;
    } else if (!kept_by_greatest(condition, run)) {
      unmeasured.push_back(condition.text + " could not be told: too few samples, or nothing of the kind");
    }
  }
  // One condition that was missed is enough.
  if (verdict.outcome == TrialOutcome::kSustained && !unmeasured.empty()) {
    verdict.outcome = TrialOutcome::kUndecided;
    verdict.reasons = std::move(unmeasured);
  }
  return only_slow;
}

void TrialJudgement::check_sending(const Json& run, TrialVerdict& verdict) const {
  const Json& delays = member(member(run, "latency"), "send_delay");
  const Json& delay = member(delays, member(delays, "p99_ns").is_number() ? "p99_ns" : "max_ns");
  if (!delay.is_number() || delay.get<double>() <= latest_ns_) return;
  verdict.outcome = TrialOutcome::kNotSustained;
  verdict.reasons.push_back(
      fmt::format("messages left up to {} late", format_duration(std::llround(delay.get<double>()))));
}

// A publisher that waits for confirms, or for its socket, is late because of the broker. A host that stalled
// for a moment makes messages late, and no backlog grow.
void TrialJudgement::excuse(const Json& run, bool only_slow, TrialVerdict& verdict) const {
  const auto any = [&](std::initializer_list<const char*> flags) {
    return std::any_of(flags.begin(), flags.end(), [&](const char* flag) { return fails(run, flag); });
  };
  const bool held_back = any({"CONFIRM_WINDOW_HIT", "WRITE_BLOCKED", "CONNECTION_BLOCKED"});
  std::vector<const char*> suspects;
  if (!held_back && !(limit_of_machine_ && fails(run, "CPU_PRESSURE")))
    suspects = {"GENERATOR_BOUND", "LATE_CATCHUP"};
  if (!limit_of_machine_) suspects.insert(suspects.end(), {"CPU_PRESSURE", "CPU_STEAL"});
  if (!limit_of_machine_ && only_slow) suspects.push_back("HICCUP");
  for (const char* suspect : suspects) {
    if (!fails(run, suspect)) continue;
    verdict.outcome = TrialOutcome::kUndecided;
    verdict.reasons.push_back(flag_text(run, suspect));
  }
}

}  // namespace brokerlab
