#pragma once

#include <optional>
#include <string>

#include "analysis/flags.h"
#include "analysis/steadiness.h"
#include "analysis/timing.h"

namespace brokerlab {

// The part of a load in which nothing drifts any more: from where MSER-5 cuts the warm-up off to the end of
// the load. Latencies of it are given only where there is one; runs with faults are transient by declaration,
// and loads too short for ten batches cannot tell.
class SteadyPart {
 public:
  SteadyPart(const RecordedRun& run, const RunAccounts& accounts, const RunTiming& timing);

  // NOT_STEADY and UNSTABLE, as far as they can be told.
  void measure(FlagSet& flags) const;
  // {from_ns, to_ns, end_to_end: {…}, done: {…}}, or {withheld: why}; null where there was no load or nobody
  // who received. From a second pass over the deliveries.
  Json to_json() const;
  // {growth_per_s, growth_share}: how the backlog grew through the load; null where it is not known. With
  // faults, too, when it is for the reader to say what it means.
  Json backlog_json() const;

 private:
  void look_for_warm_up(const RunTiming& timing, Nanoseconds from, Nanoseconds to);
  void look_at_backlog(const RunTiming& timing, Nanoseconds from, Nanoseconds to);
  std::string why_withheld() const;

  const RecordedRun& run_;
  const RunAccounts& accounts_;
  bool applies_ = false;
  std::optional<WarmUpCut> cut_;
  // Of the backlog: per second, and as a share of the copies published.
  std::optional<double> growth_per_s_, growth_share_;
  Nanoseconds from_ = 0, to_ = 0;  // from the run's start
};

}  // namespace brokerlab
