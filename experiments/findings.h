#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// What checks found in one merged experiment, by place within it. A plain collection; the places become files
// and lines by an Origin.
class Findings {
 public:
  struct Finding {
    JsonPointer at;
    std::string what;
    std::string remedy;
    std::string warning;  // name of the flag; empty for an error
  };

  void error(const JsonPointer& at, std::string what, std::string remedy);
  void warning(const JsonPointer& at, std::string what, std::string remedy, std::string flag);

  // No error at `at` or below it: what follows from it can be looked at.
  bool clean(const JsonPointer& at) const;
  const std::vector<Finding>& all() const { return findings_; }

 private:
  std::vector<Finding> findings_;
};

// "did you mean "x"?", or the list of what is known, or "".
std::string suggestion(const std::string& word, const std::vector<std::string>& known);

}  // namespace brokerlab
