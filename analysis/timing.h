#pragma once

#include <optional>
#include <vector>

#include "analysis/accounting.h"
#include "analysis/depth_check.h"
#include "analysis/first_arrivals.h"
#include "analysis/latency.h"
#include "analysis/series.h"

namespace brokerlab {

// Both sides of Little's law over a run in which every copy arrived: the time that messages spent on their
// way, from the publishers' records and the consumers' receipts on one side, from the stamps that came along
// on the other.
struct LittleSums {
  std::int64_t copies_sent = 0, copies_received = 0;
  bool routes_known = true;
  double sent_s = 0, received_s = 0, waited_s = 0;
  std::optional<double> mismatch() const;
};

// Second pass over the records: when things happened. Of a copy that was delivered more than once, its first
// receipt and its first completion count, whichever deliveries these were.
class RunTiming {
 public:
  // `depths`, where there is one, is fed with the records on the way.
  RunTiming(const RecordedRun& run, const RunAccounts& accounts, DepthCheck* depths = nullptr);

  const RunLatency& latency() const { return latency_; }
  const SeriesBuilder& series() const { return series_; }
  const LittleSums& little() const { return little_; }
  Json rates() const;
  Json series_json() const;
  std::optional<Nanoseconds> load_ns() const;  // from the start of the measure phase to the end of the load
  // Share of the measured messages that left more than 10 ms late.
  std::optional<double> late_share() const;

 private:
  struct Counts {
    std::int64_t offered = 0, published = 0, confirmed = 0, delivered = 0, role_published = 0, late = 0;
  };

  void read_publishes();
  void add_publish(bool load, std::uint32_t publisher, const PublishRecord& record);
  void read_deliveries();
  void add_arrival(const FirstArrival& arrival);
  void count_unsent();

  const RecordedRun& run_;
  const RunAccounts& accounts_;
  DepthCheck* const depths_;
  Nanoseconds t0_, measure_start_;
  RunLatency latency_;
  SeriesBuilder series_;
  LittleSums little_;
  Counts counts_;
};

}  // namespace brokerlab
