#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// Counts samples in 64 steps to the octave, so that a point of a series has quantiles exact to 1.6 % for 10
// kB instead of a full histogram's quarter of a megabyte. Values below 1 are left to the full histogram,
// which counts them.
class CoarseHistogram {
 public:
  void record(std::int64_t value);
  std::uint32_t count() const { return count_; }
  std::int64_t max() const { return max_; }
  double mean() const { return sum_ / count_; }
  // Nearest rank; nothing where fewer than ten samples lie beyond it.
  std::optional<std::int64_t> quantile(int per_mille) const;

 private:
  std::vector<std::uint32_t> counts_;
  std::uint32_t count_ = 0;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

// The run over time, in 50 to 200 equal intervals from its start (fewer when it is shorter than 50 ms).
class SeriesBuilder {
 public:
  // `span`: from the start to the last thing that happened.
  explicit SeriesBuilder(Nanoseconds span);

  // Instants from the run's start. What lies outside the span is left out.
  void offered(Nanoseconds at) { add(offered_, at); }
  void published(Nanoseconds at) { add(published_, at); }
  void confirmed(Nanoseconds at) { add(confirmed_, at); }
  void delivered(Nanoseconds at, bool redelivered);
  void copies_sent(Nanoseconds at, std::int64_t copies) { add(backlog_, at, copies); }
  void copy_done(Nanoseconds at) { add(backlog_, at, -1); }
  void backlog_unknown() { backlog_known_ = false; }
  void end_to_end(Nanoseconds intended, Nanoseconds value) { sample(end_to_end_, intended, value); }
  void send_delay(Nanoseconds intended, Nanoseconds value) { sample(send_delay_, intended, value); }

  Nanoseconds interval() const { return interval_; }
  Nanoseconds span() const { return interval_ * static_cast<Nanoseconds>(points_); }
  std::vector<double> backlog() const;  // at the end of each interval; empty when unknown
  // Of the intervals between two instants that have samples: when each begins, and its mean end-to-end
  // latency.
  struct Mean {
    Nanoseconds start;
    double mean;
  };
  std::vector<Mean> mean_end_to_end(Nanoseconds from, Nanoseconds to) const;
  // `publishers`, `consumers`: whether there were any; series of what could not happen are absent.
  Json to_json(bool publishers, bool consumers) const;

  static constexpr std::int64_t kMostPoints = 200;
  // A round one, of which less than so many make up the span.
  static Nanoseconds interval_for(Nanoseconds span);

 private:
  using Counts = std::vector<std::int64_t>;
  void add(Counts& counts, Nanoseconds at, std::int64_t times = 1);
  void sample(std::vector<CoarseHistogram>& histograms, Nanoseconds at, Nanoseconds value);
  Json rates(const Counts& counts) const;

  Nanoseconds interval_;
  std::size_t points_;
  Counts offered_, published_, confirmed_, delivered_, redelivered_, backlog_;
  std::vector<CoarseHistogram> end_to_end_, send_delay_;
  bool backlog_known_ = true;
};

}  // namespace brokerlab
