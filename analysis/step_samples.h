#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/recorded_run.h"
#include "core/empirical.h"

namespace brokerlab {

// What the recordings of a result tell about the steps of single messages. Only intervals between two of our
// own stamps can be measured: publish and delivery together, publish and confirm together, acknowledgement
// and next delivery together. Fed run by run.
class StepSamples {
 public:
  struct Range {
    double min = 0, max = 0;
    void add(double value);
    bool any = false;
  };

  // Adds a run on a real broker, without faults.
  void add(const RecordedRun& run);

  // Where the publishers waited for the broker, its speed and not its delays were measured.
  bool saturated() const { return saturated_; }
  double peak_rate_per_s() const { return rate_.max; }

  const std::vector<double>& send() const { return send_; }
  const std::vector<double>& confirm() const { return confirm_; }
  const std::vector<double>& turnaround() const { return turnaround_; }
  std::vector<double> overshoot() const;
  // Publish to receipt of the messages that found a consumer with room; and how much of it a byte takes.
  std::vector<double> delivery() const;
  double per_byte_ns() const;

  const Range& rate() const { return rate_; }
  const Range& bytes() const { return bytes_; }
  const Range& consumers() const { return consumers_; }
  const Range& queues() const { return queues_; }

 private:
  struct Consumption {
    bool limited = false;               // by a prefetch of 1: the next delivery waits for the acknowledgement
    bool may_wait = false;              // by any prefetch
    std::optional<double> declared_ns;  // the effort, where that is one number
    bool constant = false;              // every effort takes so long
    bool works = false;
    Nanoseconds settled_ns = 0;  // the delivery before
  };
  struct Delivered {
    double ns;
    double bytes;
  };

  void add_publishes(const RecordedRun& run, Nanoseconds from);
  void add_deliveries(const RecordedRun& run, Nanoseconds from);
  void add_work(const Consumption& consumption, const DeliveryRecord& record);
  static std::vector<Consumption> consumptions(const RecordedRun& run);

  std::vector<double> send_, confirm_, turnaround_, overshoot_;
  double drawn_over_ns_ = 0;  // sum
  std::size_t drawn_ = 0;
  std::vector<Delivered> delivered_;
  Range rate_, bytes_, consumers_, queues_;
  bool saturated_ = false;
};

}  // namespace brokerlab
