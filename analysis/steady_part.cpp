#include "analysis/steady_part.h"

#include <fmt/format.h>

#include "analysis/first_arrivals.h"

namespace brokerlab {

SteadyPart::SteadyPart(const RecordedRun& run, const RunAccounts& accounts, const RunTiming& timing)
    : run_(run), accounts_(accounts) {
  const auto load_ns = timing.load_ns();
  applies_ = load_ns && !run.consumers().empty();
  if (!applies_) return;
  const Nanoseconds from = run.evidence().measure_start() - run.evidence().t0_ns;
  look_at_backlog(timing, from, from + *load_ns);
  if (run.evidence().faults.empty()) look_for_warm_up(timing, from, from + *load_ns);
}

void SteadyPart::look_for_warm_up(const RunTiming& timing, Nanoseconds from, Nanoseconds to) {
  const SeriesBuilder& series = timing.series();
  std::vector<double> means;
  std::vector<Nanoseconds> starts;
  for (const auto& [start, mean] : series.mean_end_to_end(from, to)) {
    starts.push_back(start);
    means.push_back(mean);
  }
  cut_ = mser5(means);
  if (cut_ && cut_->cut < cut_->batches) from_ = starts[cut_->points_cut()];
  to_ = to;
}

void SteadyPart::look_at_backlog(const RunTiming& timing, Nanoseconds from, Nanoseconds to) {
  const SeriesBuilder& series = timing.series();
  const std::vector<double> backlog = series.backlog();
  std::vector<double> during;
  for (std::size_t i = 0; i < backlog.size(); ++i) {
    const Nanoseconds end = static_cast<Nanoseconds>(i + 1) * series.interval();
    if (end > from && end <= to) during.push_back(backlog[i]);
  }
  // The copies are those of the warm-up, too.
  const double rate = static_cast<double>(accounts_.account().copies) / static_cast<double>(to);
  if (during.size() < 10 || rate <= 0) return;
  const double growth = *slope(during) / static_cast<double>(series.interval());
  growth_per_s_ = growth * static_cast<double>(kNanosecondsPerSecond);
  growth_share_ = growth / rate;
}

void SteadyPart::measure(FlagSet& flags) const {
  if (cut_) flags.measure("NOT_STEADY", cut_->share());
  if (growth_share_ && run_.evidence().faults.empty()) flags.measure("UNSTABLE", *growth_share_);
}

std::string SteadyPart::why_withheld() const {
  if (!run_.evidence().faults.empty()) return "a run with faults is transient";
  if (!cut_) return "the load was too short to tell whether it was steady";
  if (!cut_->steady())
    return fmt::format("latency had not settled: MSER-5 cuts off {:.0f} % of the load", 100 * cut_->share());
  if (growth_share_ && *growth_share_ > flag_declaration("UNSTABLE").threshold)
    return fmt::format("the backlog grew by {:.0f} % of what was published", 100 * *growth_share_);
  return "";
}

Json SteadyPart::backlog_json() const {
  if (!growth_share_) return nullptr;
  return {{"growth_per_s", *growth_per_s_}, {"growth_share", *growth_share_}};
}

Json SteadyPart::to_json() const {
  if (!applies_) return nullptr;
  if (const std::string why = why_withheld(); !why.empty()) return {{"withheld", why}};
  const Nanoseconds t0 = run_.evidence().t0_ns;
  LatencyStreams streams;
  FirstArrivals arrivals(run_, accounts_, [&](const FirstArrival& arrival) {
    if (arrival.intended < t0 + from_ || arrival.intended >= t0 + to_) return;
    streams.record(LatencyStream::kEndToEnd, arrival.received - arrival.intended);
    if (arrival.done != 0) streams.record(LatencyStream::kDone, arrival.done - arrival.intended);
  });
  run_.each_delivery([&](std::uint32_t consumer, std::uint32_t queue, const DeliveryRecord& record) {
    arrivals.add(consumer, queue, record);
  });
  arrivals.finish();
  Json json = streams.to_json();
  json["from_ns"] = from_;
  json["to_ns"] = to_;
  return json;
}

}  // namespace brokerlab
