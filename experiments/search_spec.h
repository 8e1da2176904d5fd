#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "experiments/experiment.h"
#include "experiments/findings.h"
#include "experiments/rate_search.h"

namespace brokerlab {

// The `search` of an experiment, applied to one of its variants: which rates to try, and what a trial is. The
// rate that is searched for is that of the named loads together; among them, and among their instances, it is
// divided as the file divides it.
class SearchSpec {
 public:
  // `experiment`: a variant with its defaults, whose `search` was found in order.
  explicit SearchSpec(const Json& experiment);

  const SearchRange& range() const { return range_; }
  const std::vector<std::string>& loads() const { return loads_; }
  // What must hold in every trial, in the language of thresholds: those of the file and those that go without
  // saying, where the file says nothing of the same metric.
  const std::vector<std::string>& conditions() const { return conditions_; }
  // The machine belongs to what is searched for the limits of: a trial that fails while its processors are
  // overloaded has failed.
  bool limit_of_machine() const { return limit_of_machine_; }
  // How long the messages of a trial are due.
  Nanoseconds load_ns() const { return load_ns_; }

  // The variant at that rate, under the name of its trials; an experiment like any other, without `search`.
  Variant at_rate(const Variant& variant, double per_s) const;

 private:
  std::vector<std::size_t> indices_;  // of the loads
  std::vector<std::string> loads_;
  double declared_per_s_ = 0;  // as the file gives it
  SearchRange range_;
  std::vector<std::string> conditions_;
  bool limit_of_machine_ = false;
  Nanoseconds load_ns_ = 0;
};

bool has_search(const Experiment& experiment);

// "rate=4000", after the name of the variant where there are several.
std::string trial_name(const std::string& variant, double per_s);
// "4000", "0.5": as many digits as it has.
std::string rate_digits(double per_s);

// Part of check_meaning (experiments/meaning.h).
void check_search(const Json& experiment, Findings& findings);

}  // namespace brokerlab
