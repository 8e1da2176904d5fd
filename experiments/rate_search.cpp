#include "experiments/rate_search.h"

#include <algorithm>
#include <cmath>

namespace brokerlab {
namespace {

constexpr double kGrowth = 2;

std::ptrdiff_t number_of(const std::vector<TrialOutcome>& trials, TrialOutcome outcome) {
  return std::count(trials.begin(), trials.end(), outcome);
}

bool any(const RateSearch::Rate& rate, TrialOutcome outcome) { return number_of(rate.trials, outcome) > 0; }

}  // namespace

int SearchRange::most_trials() const {
  const double doublings = std::ceil(std::log(to / from) / std::log(kGrowth));
  const double halvings = std::ceil(std::log2(std::log(kGrowth) / std::log1p(precision)));
  // The middle of an interval is a rounded one, which may cost one more.
  const double rates = 1 + std::max(0.0, doublings) + (to > from ? std::max(0.0, halvings) + 1 : 0);
  return static_cast<int>(rates) * trials;
}

RateSearch::RateSearch(const SearchRange& range) : range_(range), next_(range.from) {}

int RateSearch::repetition() const {
  const bool begun = !rates_.empty() && !rates_.back().decision;
  return begun ? static_cast<int>(rates_.back().trials.size()) : 0;
}

void RateSearch::add(TrialOutcome outcome) {
  if (!next_) return;
  if (rates_.empty() || rates_.back().decision) rates_.push_back({*next_, {}, {}});
  Rate& rate = rates_.back();
  rate.trials.push_back(outcome);
  rate.decision = decide(rate.trials);
  if (!rate.decision) return;
  (*rate.decision == TrialOutcome::kSustained ? sustained_ : limit_) = rate.per_s;
  next_ = following();
}

std::optional<TrialOutcome> RateSearch::decide(const std::vector<TrialOutcome>& trials) const {
  const std::ptrdiff_t needed = range_.needed();
  const std::ptrdiff_t left = range_.trials - static_cast<std::ptrdiff_t>(trials.size());
  const std::ptrdiff_t sustained = number_of(trials, TrialOutcome::kSustained);
  if (sustained >= needed) return TrialOutcome::kSustained;
  if (number_of(trials, TrialOutcome::kNotSustained) > range_.trials - needed)
    return TrialOutcome::kNotSustained;
  if (sustained + left >= needed) return std::nullopt;
  // It cannot be sustained any more; whether it fails may still be open.
  const std::ptrdiff_t failed = number_of(trials, TrialOutcome::kNotSustained);
  if (failed + left > range_.trials - needed) return std::nullopt;
  return TrialOutcome::kUndecided;
}

std::optional<double> RateSearch::following() const {
  if (!sustained_) return std::nullopt;  // the lowest rate was not
  if (!limit_) {
    if (*sustained_ >= range_.to) return std::nullopt;
    return std::min(kGrowth * *sustained_, range_.to);
  }
  if (*limit_ <= *sustained_ * (1 + range_.precision)) return std::nullopt;
  const double middle = rounded(std::sqrt(*sustained_ * *limit_));
  if (middle <= *sustained_ || middle >= *limit_) return std::nullopt;
  return middle;
}

// To as many digits as the precision asks for: rates that a person can read.
double RateSearch::rounded(double rate) const {
  const double digits = std::max(3.0, std::floor(-std::log10(range_.precision)) + 2);
  const double scale = std::pow(10, digits - 1 - std::floor(std::log10(rate)));
  return std::round(rate * scale) / scale;
}

std::optional<double> RateSearch::lowest(TrialOutcome decision) const {
  std::optional<double> found;
  for (const Rate& rate : rates_)
    if (rate.decision == decision) found = std::min(found.value_or(rate.per_s), rate.per_s);
  return found;
}

std::optional<double> RateSearch::failed() const { return lowest(TrialOutcome::kNotSustained); }
std::optional<double> RateSearch::undecided() const { return lowest(TrialOutcome::kUndecided); }

RateSearch::Answer RateSearch::answer() const {
  if (next_) return Answer::kUnfinished;
  if (!sustained_) return failed() ? Answer::kBelow : Answer::kUndecided;
  return limit_ && limit_ == failed() ? Answer::kFound : Answer::kAtLeast;
}

std::vector<RateSearch::Contradiction> RateSearch::contradictions() const {
  std::vector<Contradiction> found;
  for (std::size_t lower = 0; lower < rates_.size(); ++lower) {
    if (!any(rates_[lower], TrialOutcome::kNotSustained)) continue;
    std::optional<std::size_t> highest;
    for (std::size_t other = 0; other < rates_.size(); ++other) {
      if (rates_[other].per_s <= rates_[lower].per_s || !any(rates_[other], TrialOutcome::kSustained))
        continue;
      if (!highest || rates_[other].per_s > rates_[*highest].per_s) highest = other;
    }
    if (!highest) continue;
    found.push_back({lower, *highest,
                     rates_[lower].decision == TrialOutcome::kNotSustained &&
                         rates_[*highest].decision == TrialOutcome::kSustained});
  }
  std::sort(found.begin(), found.end(), [&](const Contradiction& a, const Contradiction& b) {
    return rates_[a.lower].per_s < rates_[b.lower].per_s;
  });
  return found;
}

}  // namespace brokerlab
