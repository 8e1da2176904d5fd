#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace brokerlab {

// What one trial at a rate came to.
//   kSustained     every condition held
//   kNotSustained  one did not, and it was the broker's doing
//   kUndecided     one did not, or was not measured, and the broker cannot be blamed: the generator or the
//   host
//                  was the limit
enum class TrialOutcome { kSustained, kNotSustained, kUndecided };

// Where to look for the highest sustainable rate, and how closely.
struct SearchRange {
  double from = 1;          // messages per second; the first rate tried
  double to = 1000;         // none above
  double precision = 0.05;  // as a share: over when the two ends are no further apart
  int trials = 3;           // of a rate, at most

  // Of so many trials so many must be sustained: two thirds. One disturbance of the host must not spoil a
  // rate, and a rate that fails every other time must not pass.
  int needed() const { return (2 * trials + 2) / 3; }
  // Trials beyond which no search of this range goes.
  int most_trials() const;
};

// The highest rate that is sustained: from the lowest rate on doubled until one is not sustained or the range
// is over, then the interval between the two halved, by the logarithm, until it is narrow enough. A rate is
// decided as soon as the rest of its trials cannot change it. One that stays undecided bounds the search
// from above as one that failed does, but the answer then is only "at least". Pure.
class RateSearch {
 public:
  explicit RateSearch(const SearchRange& range);

  // One rate and its trials so far.
  struct Rate {
    double per_s = 0;
    std::vector<TrialOutcome> trials;
    std::optional<TrialOutcome> decision;
  };

  // The rate of the next trial; nothing when the search is over.
  std::optional<double> next() const { return next_; }
  // The number of that trial among those of its rate, from 0.
  int repetition() const;
  // What the trial at next() came to.
  void add(TrialOutcome outcome);

  const std::vector<Rate>& rates() const { return rates_; }  // in the order in which they were tried

  enum class Answer {
    kFound,      // between the highest sustained and the lowest failed rate, which are near enough
    kAtLeast,    // the highest sustained rate: above it the range ends, or nothing could be told
    kBelow,      // not even the lowest rate is sustained
    kUndecided,  // not even of the lowest rate could anything be told
    kUnfinished  // it was ended before
  };
  Answer answer() const;
  std::optional<double> sustained() const { return sustained_; }  // the highest
  std::optional<double> failed() const;                           // the lowest
  std::optional<double> undecided() const;                        // the lowest

  // Trials that speak against the order of things: one that was not sustained, though one at a higher rate
  // was. Pairs of indices of rates(), the lower rate first; each lower rate with the highest one above it.
  struct Contradiction {
    std::size_t lower, higher;
    bool decided;  // not only single trials: the lower rate failed, and the higher one is sustained
  };
  std::vector<Contradiction> contradictions() const;

 private:
  std::optional<TrialOutcome> decide(const std::vector<TrialOutcome>& trials) const;
  std::optional<double> following() const;
  double rounded(double rate) const;
  std::optional<double> lowest(TrialOutcome decision) const;

  const SearchRange range_;
  std::vector<Rate> rates_;
  std::optional<double> next_;
  std::optional<double> sustained_;
  std::optional<double> limit_;  // the lowest rate that is known not to be sustained, or stayed undecided
};

}  // namespace brokerlab
