#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace brokerlab {

// The exit statuses of the command line; part of the published contract (docs/command-line.md).
enum class ExitStatus : int {
  kDone = 0,
  kFailed = 1,            // could not run, or the result is invalid or unknown
  kUsage = 2,             // wrong options or a wrong experiment file
  kThresholdMissed = 99,  // a threshold missed, or a regression
  kInterrupted = 105,     // Ctrl-C: a complete but partial result was written
};

// An expected failure that a person can act on: what went wrong, where, and what to do about it.
// Broker outcomes (a nack, a return) are data, never an Error; broken invariants abort.
class Error : public std::runtime_error {
 public:
  Error(std::string what, std::string where, std::string remedy, ExitStatus status = ExitStatus::kFailed)
      : std::runtime_error(what + (where.empty() ? "" : "\n  where: " + where) +
                           (remedy.empty() ? "" : "\n  to do: " + remedy)),
        summary_(std::move(what)),
        where_(std::move(where)),
        remedy_(std::move(remedy)),
        status_(status) {}

  const std::string& summary() const { return summary_; }
  const std::string& where() const { return where_; }
  const std::string& remedy() const { return remedy_; }
  ExitStatus status() const { return status_; }

 private:
  std::string summary_;
  std::string where_;
  std::string remedy_;
  ExitStatus status_;
};

}  // namespace brokerlab
