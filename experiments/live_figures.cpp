#include "experiments/live_figures.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kWindow = 2 * kNanosecondsPerSecond;
constexpr Nanoseconds kLeast = kNanosecondsPerSecond;

}  // namespace

Json LiveFigures::at(Nanoseconds now, const LiveCounts& counts, bool loading) {
  Json figures = {{"ledger",
                   {{"published", counts.published_by_all},
                    {"confirmed", counts.confirmed_by_all},
                    {"returned", counts.returned},
                    {"nacked", counts.nacked},
                    {"deliveries", counts.received},
                    {"done", counts.done},
                    {"redelivered_flag", counts.redelivered},
                    {"ignored", counts.ignored},
                    {"unreadable", counts.unreadable},
                    {"corrupted", counts.corrupted}}}};
  while (moments_.size() > 1 && now - moments_[1].at_ns >= kWindow) moments_.pop_front();
  if (loading && !moments_.empty() && now - moments_.front().at_ns >= kLeast) {
    const Moment& before = moments_.front();
    const double seconds = static_cast<double>(now - before.at_ns) / kNanosecondsPerSecond;
    const auto rate = [&](std::int64_t LiveCounts::*figure) {
      return static_cast<double>(counts.*figure - before.counts.*figure) / seconds;
    };
    figures["rates"] = {{"published_per_s", rate(&LiveCounts::published)},
                        {"confirmed_per_s", rate(&LiveCounts::confirmed)},
                        {"delivered_per_s", rate(&LiveCounts::received)}};
  }
  moments_.push_back({now, counts});
  return figures;
}

}  // namespace brokerlab
