#pragma once

#include <string>
#include <vector>

#include "core/error.h"

namespace brokerlab {

// One thing that is wrong with an experiment file, or worth a warning, at the place a person has to edit.
struct Problem {
  enum class Severity { kError, kWarning };

  Severity severity = Severity::kError;
  std::string source;  // the file as the user named it, or the option that brought the value in
  int line = 0;        // from 1; 0 where the source has no lines (an option)
  std::string path;    // JSON pointer within the source, "" for the whole of it
  std::string what;
  std::string remedy;  // what to do; the nearest known word where there is one
  std::string code;    // of warnings: the name of the flag the result will carry, e.g. "PREFETCH_IGNORED"

  // "queue.json:12: /roles/0/consume/prefech: unknown key; did you mean \"prefetch\"?"
  std::string text() const;

  friend bool operator==(const Problem&, const Problem&) = default;
};

// An error in an option of the command line, shown as it was given.
Problem option_problem(const std::string& option, std::string what, std::string remedy);

// Sorted by source and line, without repetitions (the same slip shows up in every variant).
std::vector<Problem> sorted(std::vector<Problem> problems);

// All errors of one experiment at once. Exit status 2.
class ExperimentError : public Error {
 public:
  explicit ExperimentError(std::vector<Problem> problems);
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

}  // namespace brokerlab
