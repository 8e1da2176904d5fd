#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/histogram.h"
#include "core/json.h"
#include "core/recording.h"

namespace brokerlab {

// The intervals that are reported; what each runs from and to stands in docs/metrics.md. Those that a person
// feels run from the intended time: a message that could not even be sent in time was late for whoever waited
// for it.
enum class LatencyStream : std::uint8_t {
  kEndToEnd,             // intended -> received
  kDone,                 // intended -> work done
  kConfirm,              // sent -> confirmed
  kConfirmFromIntended,  // intended -> confirmed
  kSendDelay,            // intended -> sent
  kWriteBlock,           // sent -> written: the kernel had taken the last byte
  kDelivery,             // sent -> received: the uncorrected view, shown beside end_to_end
  kPrefetchWait,         // received -> work started
  kService,              // work started -> work done
  kAck,                  // received -> acknowledgement written (manual acknowledgement only)
};
inline constexpr std::size_t kStreams = 10;
std::string_view to_text(LatencyStream stream);

// Quantile `per_mille` of a histogram, or nothing where fewer than ten samples lie beyond it.
std::optional<std::int64_t> supported_quantile(const Histogram& histogram, int per_mille);
Json stream_json(const Histogram& histogram);

// One histogram per stream; made when its first sample comes.
class LatencyStreams {
 public:
  void record(LatencyStream stream, Nanoseconds value);
  const Histogram* find(LatencyStream stream) const {
    return streams_[static_cast<std::size_t>(stream)].get();
  }
  std::int64_t negative() const;
  std::int64_t above_range() const;
  // Streams that have samples only.
  Json to_json() const;

 private:
  std::array<std::unique_ptr<Histogram>, kStreams> streams_;
};

// Latencies of a run: over all roles, and per role. Warm-up is the caller's to leave out.
class RunLatency {
 public:
  explicit RunLatency(std::size_t roles) : by_role_(roles) {}

  void add_publish(const PublishRecord& record);
  // What a delivery alone tells: the waits within its consumer.
  void add_work(const DeliveryRecord& record, std::size_t role);
  // A copy's first receipt and first completion (0: not done), whichever of its deliveries they came from.
  void add_arrival(Nanoseconds intended, Nanoseconds sent, Nanoseconds received, Nanoseconds done,
                   std::size_t role);

  const LatencyStreams& all() const { return all_; }
  const LatencyStreams& role(std::size_t index) const { return by_role_[index]; }
  // From intended to done at one role, which may be the only one; null without any sample.
  const Histogram* done_by(std::size_t role) const {
    return (by_role_.size() > 1 ? by_role_[role] : all_).find(LatencyStream::kDone);
  }
  // {<stream>: {…}, by_role: {<role>: {<stream>: {…}}}}; by_role only where there is more than one role.
  Json to_json(const std::vector<std::string>& roles) const;

 private:
  void record(LatencyStream stream, Nanoseconds value, std::size_t role);

  LatencyStreams all_;
  std::vector<LatencyStreams> by_role_;
};

}  // namespace brokerlab
