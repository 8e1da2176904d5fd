#include "analysis/series.h"

#include <algorithm>
#include <bit>

namespace brokerlab {
namespace {

constexpr int kStepBits = 6;

// Values below 64 have a bucket each; above, the leading bit picks the octave and the next six the step.
std::size_t bucket_of(std::uint64_t value) {
  if (value < (1u << kStepBits)) return value;
  const int shift = static_cast<int>(std::bit_width(value)) - 1 - kStepBits;
  return (static_cast<std::size_t>(shift + 1) << kStepBits) + ((value >> shift) & ((1u << kStepBits) - 1));
}

std::int64_t highest_in(std::size_t bucket) {
  if (bucket < (1u << kStepBits)) return static_cast<std::int64_t>(bucket);
  const int shift = static_cast<int>(bucket >> kStepBits) - 1;
  const std::uint64_t step = (bucket & ((1u << kStepBits) - 1)) | (1u << kStepBits);
  return static_cast<std::int64_t>(((step + 1) << shift) - 1);
}

template <typename Figure>
Json points(const std::vector<CoarseHistogram>& histograms, Figure figure) {
  Json json = Json::array();
  for (const CoarseHistogram& histogram : histograms) {
    const std::optional<std::int64_t> value = histogram.count() > 0 ? figure(histogram) : std::nullopt;
    json.push_back(value ? Json(*value) : Json(nullptr));
  }
  return json;
}

std::optional<std::int64_t> largest(const CoarseHistogram& histogram) { return histogram.max(); }
std::optional<std::int64_t> median(const CoarseHistogram& histogram) { return histogram.quantile(500); }
std::optional<std::int64_t> p99(const CoarseHistogram& histogram) { return histogram.quantile(990); }

bool any(const std::vector<CoarseHistogram>& histograms) {
  return std::any_of(histograms.begin(), histograms.end(),
                     [](const auto& entry) { return entry.count() > 0; });
}

}  // namespace

void CoarseHistogram::record(std::int64_t value) {
  if (value < 1) return;
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(value));
  if (bucket >= counts_.size()) counts_.resize(bucket + 1);
  ++counts_[bucket];
  ++count_;
  sum_ += static_cast<double>(value);
  max_ = std::max(max_, value);
}

std::optional<std::int64_t> CoarseHistogram::quantile(int per_mille) const {
  if (std::int64_t{count_} * (1000 - per_mille) < 10'000) return std::nullopt;
  const std::int64_t rank = (std::int64_t{count_} * per_mille + 999) / 1000;
  std::int64_t below = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    below += counts_[bucket];
    if (below >= rank) return std::min(highest_in(bucket), max_);
  }
  return max_;
}

Nanoseconds SeriesBuilder::interval_for(Nanoseconds span) {
  Nanoseconds decade = 1'000'000;
  for (;; decade *= 10) {
    for (const Nanoseconds step : {1, 2, 5})
      if (span / (step * decade) < kMostPoints) return step * decade;
  }
}

SeriesBuilder::SeriesBuilder(Nanoseconds span)
    : interval_(interval_for(std::max<Nanoseconds>(0, span))),
      points_(static_cast<std::size_t>(std::max<Nanoseconds>(0, span) / interval_) + 1),
      offered_(points_),
      published_(points_),
      confirmed_(points_),
      delivered_(points_),
      redelivered_(points_),
      backlog_(points_),
      end_to_end_(points_),
      send_delay_(points_) {}

void SeriesBuilder::add(Counts& counts, Nanoseconds at, std::int64_t times) {
  if (at < 0) return;
  const std::size_t point = static_cast<std::size_t>(at / interval_);
  if (point < points_) counts[point] += times;
}

void SeriesBuilder::sample(std::vector<CoarseHistogram>& histograms, Nanoseconds at, Nanoseconds value) {
  if (at < 0) return;
  const std::size_t point = static_cast<std::size_t>(at / interval_);
  if (point < points_) histograms[point].record(value);
}

void SeriesBuilder::delivered(Nanoseconds at, bool redelivered) {
  add(delivered_, at);
  if (redelivered) add(redelivered_, at);
}

std::vector<double> SeriesBuilder::backlog() const {
  if (!backlog_known_) return {};
  std::vector<double> values;
  std::int64_t sum = 0;
  for (const std::int64_t change : backlog_) values.push_back(static_cast<double>(sum += change));
  return values;
}

std::vector<SeriesBuilder::Mean> SeriesBuilder::mean_end_to_end(Nanoseconds from, Nanoseconds to) const {
  std::vector<Mean> means;
  for (std::size_t i = 0; i < points_; ++i) {
    const Nanoseconds start = static_cast<Nanoseconds>(i) * interval_;
    if (start >= from && start + interval_ <= to && end_to_end_[i].count() > 0)
      means.push_back({start, end_to_end_[i].mean()});
  }
  return means;
}

Json SeriesBuilder::rates(const Counts& counts) const {
  const double per_second = static_cast<double>(kNanosecondsPerSecond) / static_cast<double>(interval_);
  Json json = Json::array();
  for (const std::int64_t count : counts) json.push_back(static_cast<double>(count) * per_second);
  return json;
}

Json SeriesBuilder::to_json(bool publishers, bool consumers) const {
  Json json = {{"interval_ns", interval_}};
  if (publishers) {
    json["offered_per_s"] = rates(offered_);
    json["published_per_s"] = rates(published_);
    json["confirmed_per_s"] = rates(confirmed_);
  }
  if (consumers) {
    json["delivered_per_s"] = rates(delivered_);
    json["redelivered_per_s"] = rates(redelivered_);
  }
  if (publishers && backlog_known_) json["backlog"] = backlog();
  if (any(end_to_end_)) {
    json["end_to_end_p50_ns"] = points(end_to_end_, median);
    json["end_to_end_p99_ns"] = points(end_to_end_, p99);
    json["end_to_end_max_ns"] = points(end_to_end_, largest);
  }
  if (any(send_delay_)) {
    json["send_delay_p99_ns"] = points(send_delay_, p99);
    json["send_delay_max_ns"] = points(send_delay_, largest);
  }
  return json;
}

}  // namespace brokerlab
