#include "analysis/known_answers.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "analysis/answer_sheet.h"

namespace brokerlab {
namespace {

// In a tolerance that a person can read, e.g. "3 %".
std::string percent(double share) { return fmt::format("{:.3g} %", 100 * share); }

std::string number(double value, const std::string& unit) {
  const bool whole = value == std::round(value) && std::abs(value) < 1e9;
  const std::string text = whole ? fmt::format("{:.0f}", value) : fmt::format("{:.5g}", value);
  return unit.empty() ? text : text + (unit == "/s" ? "" : " ") + unit;
}

std::string_view rule_name(KnownAnswer::Rule rule) {
  static constexpr std::array<std::string_view, 5> kNames = {"exact", "within_share", "within", "at_most",
                                                             "at_least"};
  return kNames[static_cast<std::size_t>(rule)];
}

}  // namespace

bool KnownAnswer::ok() const {
  if (!measured || !std::isfinite(*measured)) return false;
  switch (rule) {
    case Rule::kExact:
      return *measured == expected;
    case Rule::kWithinShare:
      return std::abs(*measured - expected) <= tolerance * std::abs(expected);
    case Rule::kWithin:
      return std::abs(*measured - expected) <= tolerance;
    case Rule::kAtMost:
      return *measured <= expected;
    case Rule::kAtLeast:
      return *measured >= expected;
  }
  return false;
}

std::string KnownAnswer::expected_text() const {
  const std::string value = number(expected, unit);
  if (rule == Rule::kAtMost) return "at most " + value;
  if (rule == Rule::kAtLeast) return "at least " + value;
  return value;
}

std::string KnownAnswer::tolerance_text() const {
  if (rule == Rule::kExact) return "exact";
  if (rule == Rule::kWithinShare) return percent(tolerance);
  return rule == Rule::kWithin ? number(tolerance, unit) : "";
}

std::string KnownAnswer::measured_text() const { return measured ? number(*measured, unit) : "not measured"; }

Json to_json(const KnownAnswer& answer) {
  Json json = {{"case", answer.name},
               {"what", answer.what},
               {"unit", answer.unit},
               {"rule", rule_name(answer.rule)},
               {"expected", answer.expected},
               {"measured", answer.measured ? Json(*answer.measured) : Json(nullptr)},
               {"ok", answer.ok()}};
  if (answer.rule == KnownAnswer::Rule::kWithinShare || answer.rule == KnownAnswer::Rule::kWithin)
    json["tolerance"] = answer.tolerance;
  return json;
}

std::span<const KnownAnswerExperiment> known_answer_experiments() {
  static constexpr std::array<KnownAnswerExperiment, 17> kExperiments = {{
      {"known-answers/s1-s5-short", ""},
      {"known-answers/s2-short", ""},
      {"known-answers/q1", ""},
      {"known-answers/q2", ""},
      {"known-answers/r1", ""},
      {"known-answers/r2", ""},
      {"known-answers/r3", ""},
      {"known-answers/r4", ""},
      {"known-answers/r7", ""},
      {"known-answers/a1", ""},
      {"known-answers/a2", ""},
      {"known-answers/a4", ""},
      {"known-answers/a5", ""},
      {"known-answers/t1-short", ""},
      {"known-answers/d2", ""},
      {"broker-crash", "classic"},
      {"known-answers/f2-f4", ""},
  }};
  return kExperiments;
}

std::vector<KnownAnswer> known_answers(const Json& result) {
  const std::string experiment = result.value("experiment", "");
  std::vector<KnownAnswer> answers;
  for (const AnswerSheet& sheet : answer_sheets()) {
    if (sheet.experiment != experiment) continue;
    for (KnownAnswer& answer : sheet.fill(result)) answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace brokerlab
