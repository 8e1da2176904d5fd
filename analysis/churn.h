#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/recorded_run.h"
#include "analysis/series.h"
#include "core/histogram.h"
#include "core/json.h"
#include "core/operation.h"

namespace brokerlab {

// What was asked of the broker apart from messages: how often each entry of `churn` opened and closed, and
// how long each operation took. Latencies leave out what was due in the warm-up; counts are of the whole run.
class ChurnAccount {
 public:
  // `entries`: of the experiment.
  ChurnAccount(const RecordedRun& run, const Json& entries);

  bool any() const { return !entries_.empty(); }
  // [{name, open: {operation, begun, done, failed, undecided}, close: {…}, left_open, opened_per_s,
  // series: {interval_ns, opened_per_s[], closed_per_s[], open_mean_ns[], open_max_ns[]}}]
  Json to_json() const;
  // {asked, answered, unanswered}; null where nobody asked for replies.
  Json requests() const;
  // Streams by the operation's name, and with "_from_intended": for the run's `latency`.
  void add_latency(Json& latency) const;
  // How often something was opened.
  std::int64_t opened() const;
  // Entries of which more or fewer were closed than opened.
  std::int64_t unbalanced() const;

 private:
  struct Counts {
    std::int64_t begun = 0, done = 0, failed = 0;
  };
  struct Entry {
    std::string name;
    std::map<OperationKind, Counts> operations;
    Nanoseconds first_ns = 0, last_ns = 0;  // of the openings done: when the first was begun, and the last
    // By the interval in which they were done; the times by that in which they were due.
    std::vector<std::int64_t> opened, closed;
    std::vector<CoarseHistogram> open_times;
    std::int64_t left_open() const;
  };
  struct Times {
    Histogram from_start, from_intended;
  };

  Entry* find(const std::string& name);
  void count(const Operation& operation, const std::string& entry);
  void add_series(const RecordedRun& run);
  Json series_json(const Entry& entry) const;

  std::vector<Entry> entries_;
  Counts requests_;
  Nanoseconds end_ns_ = 0;    // of the last operation
  Nanoseconds interval_ = 0;  // of the series
  std::array<std::unique_ptr<Times>, kOperationKinds> times_;
};

}  // namespace brokerlab
