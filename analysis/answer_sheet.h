#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/known_answers.h"
#include "core/json.h"

namespace brokerlab {

// What one experiment must come to: reads the runs of a result and says expected beside measured.
struct AnswerSheet {
  std::string_view experiment;  // its name in the result
  std::vector<KnownAnswer> (*fill)(const Json& result);
};

std::span<const AnswerSheet> answer_sheets();

// The answers of one case, collected from one run. A figure that the run lacks is not measured; times are
// given in ms.
class CaseAnswers {
 public:
  CaseAnswers(std::string name, const Json& run) : name_(std::move(name)), run_(run) {}

  void exact(const std::string& what, const char* pointer, double expected);
  void exact_value(const std::string& what, std::optional<double> measured, double expected);
  void within_share(const std::string& what, std::optional<double> measured, double expected, double share,
                    const std::string& unit = "");
  void within(const std::string& what, std::optional<double> measured, double expected, double tolerance,
              const std::string& unit = "");
  void at_most(const std::string& what, std::optional<double> measured, double limit,
               const std::string& unit = "");
  void at_least(const std::string& what, std::optional<double> measured, double limit,
                const std::string& unit = "");

  const Json& run() const { return run_; }
  std::optional<double> number(const std::string& pointer) const;
  std::optional<double> ms(const std::string& pointer) const;
  std::vector<KnownAnswer> take() { return std::move(answers_); }

 private:
  void add(const std::string& what, KnownAnswer::Rule rule, std::optional<double> measured, double expected,
           double tolerance, const std::string& unit);

  std::string name_;
  const Json& run_;
  std::vector<KnownAnswer> answers_;
};

// The first run of that variant; an empty object where there is none.
const Json& run_of_variant(const Json& result, std::string_view variant);

// In answer_sheet_stall.cpp.
std::vector<KnownAnswer> answer_s1_s5(const Json& result);
std::vector<KnownAnswer> answer_s2(const Json& result);

}  // namespace brokerlab
