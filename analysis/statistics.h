#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace brokerlab {

// Statistics of trials: one number per run, never per message (the messages of one run are not independent).
// Pure functions; units are those of the values passed in. Every p is two-sided and lies in (0, 1].

// An estimate with its 95 % interval, in the unit of the values. No interval: so few values cannot bound it.
struct Estimate {
  struct Interval {
    double low = 0;
    double high = 0;
  };
  double value = 0;
  std::optional<Interval> interval;
};

// Wilcoxon's signed rank test that `differences` are symmetric about 0 (Wilcoxon 1945). Zeros are left out,
// ties get midranks; the distribution is that of all sign changes of the ranks at hand, so p is exact with
// ties too, for up to 50 values that are not zero; beyond, normal with tie correction. Nothing but zeros: 1.
double signed_rank_p(const std::vector<double>& differences);
// The smallest p that n differences can give: 2^(1 - n). n = 5: .0625, 6: .031, 8: .0078, 10: .002.
double smallest_signed_rank_p(std::size_t n);

// The U test of Mann and Whitney (1947): exact over all ways to deal the pooled midranks, for up to 50 values
// in all; beyond, normal with tie and continuity correction. An empty sample: 1.
double mann_whitney_p(const std::vector<double>& first, const std::vector<double>& second);
// The smallest p of samples of these sizes: 2 / C(n + m, n). 4 and 4: .029, 5 and 5: .0079.
double smallest_mann_whitney_p(std::size_t n, std::size_t m);

// Hodges and Lehmann (1963). Of one sample: the median of the Walsh averages; of two: the median of all
// differences second - first. The interval inverts the exact test without ties, which is wide enough with
// them: from 6 values on, or from 4 and 4. Beyond 50 values by the normal approximation. Needs values.
Estimate hodges_lehmann(std::vector<double> values);
Estimate hodges_lehmann_shift(const std::vector<double>& first, const std::vector<double>& second);

// The middle value, or the mean of the two in the middle. Needs values.
double median(std::vector<double> values);

// Cliff's delta (1993): P(second > first) - P(second < first), -1 to 1. Needs values in both.
double cliffs_delta(const std::vector<double>& first, const std::vector<double>& second);

// Holm's step-down adjustment (1979) of a family of p, in the order given: a figure whose adjusted p is below
// .05 stands with at most 5 % chance that any figure of the family does so by accident.
std::vector<double> holm_adjusted(const std::vector<double>& p);

}  // namespace brokerlab
