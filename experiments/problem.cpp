#include "experiments/problem.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace brokerlab {
namespace {

auto order(const Problem& problem) {
  return std::tie(problem.source, problem.line, problem.path, problem.what, problem.remedy);
}

std::string all_of(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += (text.empty() ? "" : "\n") + problem.text();
  return text;
}

}  // namespace

Problem option_problem(const std::string& option, std::string what, std::string remedy) {
  Problem problem;
  problem.source = option;
  problem.what = std::move(what);
  problem.remedy = std::move(remedy);
  return problem;
}

std::string Problem::text() const {
  std::string text = source;
  if (line > 0) text += ":" + std::to_string(line);
  text += ": ";
  if (severity == Severity::kWarning) text += "warning: ";
  if (!path.empty()) text += path + ": ";
  text += what;
  if (!remedy.empty()) text += "; " + remedy;
  if (!code.empty()) text += " [" + code + "]";
  return text;
}

std::vector<Problem> sorted(std::vector<Problem> problems) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return order(a) < order(b); });
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return problems;
}

ExperimentError::ExperimentError(std::vector<Problem> problems)
    : Error(all_of(problems), "", "", ExitStatus::kUsage), problems_(std::move(problems)) {}

}  // namespace brokerlab
