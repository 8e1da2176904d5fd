#pragma once

#include <vector>

#include "analysis/accounting.h"

namespace brokerlab {

// The work that the consumers of each working role did, and how fast it could have been done at best.
// Definitions in docs/metrics.md, "Work".
class Workload {
 public:
  Workload(const RecordedRun& run, const RunAccounts& accounts);

  // [{role, workers, tasks, service_ns, longest_ns, lower_bound_ns, idle_share?}]; roles that did no work are
  // absent.
  Json to_json() const;

 private:
  struct Role {
    std::int64_t workers = 0, tasks = 0;
    Nanoseconds service = 0, longest = 0;
    Nanoseconds busy = 0, present = 0;
  };

  void count_workers();

  const RecordedRun& run_;
  const RunAccounts& accounts_;
  std::vector<Role> roles_;  // parallel to the run's
};

}  // namespace brokerlab
