#include "broker/lane.h"

#include <algorithm>

namespace brokerlab {
namespace {

// A narrow line passes data on in pieces of so much time, instead of nothing for long and then all at once.
constexpr Nanoseconds kPieceTime = 50'000'000;

}  // namespace

void Lane::set_toxics(std::vector<Toxic> toxics, Nanoseconds now) {
  const bool limited_before = find(Toxic::Kind::kLimitData) != nullptr;
  const bool corrupted_before = find(Toxic::Kind::kCorrupt) != nullptr;
  toxics_ = std::move(toxics);
  if (const Toxic* corrupt = find(Toxic::Kind::kCorrupt); corrupt != nullptr && !corrupted_before)
    until_altered_ = gap(*corrupt);
  if (!limited_before) passed_ = 0;
  reset_at_.reset();
  close_at_.reset();
  if (const Toxic* toxic = find(Toxic::Kind::kResetPeer)) reset_at_ = now + toxic->timeout_ns;
  if (const Toxic* toxic = find(Toxic::Kind::kTimeout)) {
    if (toxic->timeout_ns > 0) close_at_ = now + toxic->timeout_ns;
  } else if (broken_) {
    close_at_ = now;
  }
}

std::vector<Lane::Slice> Lane::accept(std::size_t bytes, Nanoseconds now) {
  if (broken_ || find(Toxic::Kind::kTimeout) != nullptr) {
    broken_ = true;
    return {};
  }
  if (const Toxic* limit = find(Toxic::Kind::kLimitData)) {
    const std::uint64_t left = limit->limit_bytes - std::min(limit->limit_bytes, passed_);
    if (bytes >= left) close_at_ = now;
    broken_ = bytes > left;
    bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, left));
  }
  passed_ += bytes;

  const Toxic* slicer = find(Toxic::Kind::kSlicer);
  const Toxic* bandwidth = find(Toxic::Kind::kBandwidth);
  std::vector<Slice> slices;
  Nanoseconds apart = 0;
  while (bytes > 0) {
    const std::size_t size = next_size(bytes);
    Nanoseconds due = now;
    if (bandwidth != nullptr) {
      const double seconds = static_cast<double>(size) / static_cast<double>(bandwidth->rate_bytes_per_s);
      busy_until_ns_ =
          std::max(now, busy_until_ns_) + static_cast<Nanoseconds>(seconds * kNanosecondsPerSecond);
      due = busy_until_ns_;
    }
    due += late_by() + apart;
    last_due_ns_ = std::max(last_due_ns_, due);
    slices.push_back({size, last_due_ns_});
    bytes -= size;
    if (slicer != nullptr) apart += slicer->delay_ns;
  }
  return slices;
}

// The bytes between two that are altered: as random as hits by chance are.
std::uint64_t Lane::gap(const Toxic& corrupt) {
  return static_cast<std::uint64_t>(random_.exponential(static_cast<double>(corrupt.every_bytes)));
}

std::vector<std::size_t> Lane::altered(std::size_t bytes) {
  std::vector<std::size_t> places;
  const Toxic* corrupt = find(Toxic::Kind::kCorrupt);
  if (corrupt == nullptr) return places;
  std::size_t at = 0;
  while (until_altered_ < bytes - at) {
    at += static_cast<std::size_t>(until_altered_);
    places.push_back(at++);
    until_altered_ = gap(*corrupt);
  }
  until_altered_ -= bytes - at;
  return places;
}

Nanoseconds Lane::end_due(Nanoseconds now) {
  last_due_ns_ = std::max(last_due_ns_, now + late_by());
  const Toxic* slow = find(Toxic::Kind::kSlowClose);
  return last_due_ns_ + (slow != nullptr ? slow->delay_ns : 0);
}

const Toxic* Lane::find(Toxic::Kind kind) const {
  const auto found =
      std::find_if(toxics_.begin(), toxics_.end(), [&](const Toxic& toxic) { return toxic.kind == kind; });
  return found == toxics_.end() ? nullptr : &*found;
}

std::size_t Lane::next_size(std::size_t left) {
  std::size_t size = left;
  if (const Toxic* slicer = find(Toxic::Kind::kSlicer)) {
    const auto average = static_cast<std::int64_t>(slicer->average_bytes);
    const auto variation = static_cast<std::int64_t>(slicer->variation_bytes);
    size = static_cast<std::size_t>(
        std::max<std::int64_t>(1, random_.between(average - variation, average + variation)));
  }
  if (const Toxic* bandwidth = find(Toxic::Kind::kBandwidth)) {
    const auto piece = static_cast<double>(bandwidth->rate_bytes_per_s) * kPieceTime / kNanosecondsPerSecond;
    size = std::min(size, std::max<std::size_t>(1, static_cast<std::size_t>(piece)));
  }
  return std::min(size, left);
}

Nanoseconds Lane::late_by() {
  Nanoseconds late = 0;
  for (const Toxic& toxic : toxics_) {
    if (toxic.kind != Toxic::Kind::kLatency) continue;
    const Nanoseconds jitter = toxic.jitter_ns > 0 ? random_.between(-toxic.jitter_ns, toxic.jitter_ns) : 0;
    late += std::max<Nanoseconds>(0, toxic.latency_ns + jitter);
  }
  return late;
}

}  // namespace brokerlab
