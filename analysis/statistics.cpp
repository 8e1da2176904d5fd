#include "analysis/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace brokerlab {
namespace {

constexpr std::size_t kMostExact = 50;  // counts stay exact in a double: C(50, 25) and 2^50 < 2^53
constexpr double kHalfOfFivePercent = .025;
constexpr double kNormalQuantile = 1.959963984540054;  // of 97.5 %

// Twice the midranks, so that they are whole numbers; and the sum of t^3 - t over the ties.
struct Ranks {
  std::vector<std::size_t> doubled;
  double ties = 0;
};

Ranks ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  Ranks ranks{std::vector<std::size_t>(values.size()), 0};
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks.doubled[order[i]] = begin + 1 + end;
    const auto tied = static_cast<double>(end - begin);
    ranks.ties += tied * tied * tied - tied;
  }
  return ranks;
}

// In how many ways each sum comes about when every rank is taken or left.
std::vector<double> subset_sums(const std::vector<std::size_t>& ranks) {
  std::vector<double> ways(std::accumulate(ranks.begin(), ranks.end(), std::size_t{1}), 0);
  ways[0] = 1;
  for (const std::size_t rank : ranks)
    for (std::size_t sum = ways.size(); sum-- > rank;) ways[sum] += ways[sum - rank];
  return ways;
}

// The same when exactly `size` of the ranks are taken.
std::vector<double> sample_sums(const std::vector<std::size_t>& ranks, std::size_t size) {
  const std::size_t sums = std::accumulate(ranks.begin(), ranks.end(), std::size_t{1});
  std::vector<std::vector<double>> ways(size + 1, std::vector<double>(sums, 0));
  ways[0][0] = 1;
  for (const std::size_t rank : ranks)
    for (std::size_t taken = size; taken > 0; --taken)
      for (std::size_t sum = sums; sum-- > rank;) ways[taken][sum] += ways[taken - 1][sum - rank];
  return ways[size];
}

double two_sided(const std::vector<double>& ways, std::size_t observed) {
  const auto at = ways.begin() + static_cast<std::ptrdiff_t>(observed);
  const double all = std::accumulate(ways.begin(), ways.end(), 0.0);
  const double low = std::accumulate(ways.begin(), at + 1, 0.0);
  const double high = std::accumulate(at, ways.end(), 0.0);
  return std::min(1.0, 2 * std::min(low, high) / all);
}

// How many of the ordered values lie outside the interval on each side: the largest count whose tail has at
// most 2.5 %. `first`: the smallest sum that can be.
std::size_t cut(const std::vector<double>& ways, std::size_t first) {
  const double all = std::accumulate(ways.begin(), ways.end(), 0.0);
  double tail = 0;
  std::size_t count = 0;
  while (first + count < ways.size() && (tail += ways[first + count]) <= kHalfOfFivePercent * all) ++count;
  return count;
}

std::size_t normal_cut(double mean, double variance) {
  return static_cast<std::size_t>(std::max(0.0, std::floor(mean - kNormalQuantile * std::sqrt(variance))));
}

double normal_p(double distance, double variance) {
  if (variance <= 0) return 1;
  const double z = std::max(0.0, std::abs(distance) - .5) / std::sqrt(variance);
  return std::erfc(z / std::sqrt(2.0));
}

double median_of_sorted(const std::vector<double>& values) {
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Estimate median_with(std::vector<double> values, std::size_t outside) {
  std::sort(values.begin(), values.end());
  Estimate estimate;
  estimate.value = median_of_sorted(values);
  if (outside > 0) estimate.interval = {values[outside - 1], values[values.size() - outside]};
  return estimate;
}

std::vector<std::size_t> plain_ranks(std::size_t n) {
  std::vector<std::size_t> ranks(n);
  std::iota(ranks.begin(), ranks.end(), std::size_t{1});
  return ranks;
}

}  // namespace

double signed_rank_p(const std::vector<double>& differences) {
  std::vector<double> sizes;
  std::vector<bool> positive;
  for (const double difference : differences) {
    if (difference == 0) continue;
    sizes.push_back(std::abs(difference));
    positive.push_back(difference > 0);
  }
  if (sizes.empty()) return 1;
  const Ranks ranks = ranks_of(sizes);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (positive[i]) sum += ranks.doubled[i];
  if (sizes.size() <= kMostExact) return two_sided(subset_sums(ranks.doubled), sum);
  const auto n = static_cast<double>(sizes.size());
  return normal_p(static_cast<double>(sum) / 2 - n * (n + 1) / 4,
                  n * (n + 1) * (2 * n + 1) / 24 - ranks.ties / 48);
}

double smallest_signed_rank_p(std::size_t n) { return std::min(1.0, std::exp2(1 - static_cast<double>(n))); }

double mann_whitney_p(const std::vector<double>& first, const std::vector<double>& second) {
  if (first.empty() || second.empty()) return 1;
  std::vector<double> pooled = first;
  pooled.insert(pooled.end(), second.begin(), second.end());
  const Ranks ranks = ranks_of(pooled);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < first.size(); ++i) sum += ranks.doubled[i];
  if (pooled.size() <= kMostExact) return two_sided(sample_sums(ranks.doubled, first.size()), sum);
  const auto n = static_cast<double>(first.size()), m = static_cast<double>(second.size()), all = n + m;
  return normal_p(static_cast<double>(sum) / 2 - n * (all + 1) / 2,
                  n * m / 12 * (all + 1 - ranks.ties / (all * (all - 1))));
}

double smallest_mann_whitney_p(std::size_t n, std::size_t m) {
  double ways = 1;
  for (std::size_t i = 1; i <= n; ++i) ways *= static_cast<double>(m + i) / static_cast<double>(i);
  return std::min(1.0, 2 / ways);
}

Estimate hodges_lehmann(std::vector<double> values) {
  std::vector<double> averages;
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = i; j < values.size(); ++j) averages.push_back((values[i] + values[j]) / 2);
  if (values.size() <= kMostExact)
    return median_with(std::move(averages), cut(subset_sums(plain_ranks(values.size())), 0));
  const auto n = static_cast<double>(values.size());
  return median_with(std::move(averages), normal_cut(n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24));
}

Estimate hodges_lehmann_shift(const std::vector<double>& first, const std::vector<double>& second) {
  std::vector<double> differences;
  for (const double a : first)
    for (const double b : second) differences.push_back(b - a);
  const std::size_t n = first.size(), all = n + second.size();
  if (all <= kMostExact)
    return median_with(std::move(differences), cut(sample_sums(plain_ranks(all), n), n * (n + 1) / 2));
  const auto pairs = static_cast<double>(differences.size());
  return median_with(std::move(differences),
                     normal_cut(pairs / 2, pairs * (static_cast<double>(all) + 1) / 12));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return median_of_sorted(values);
}

double cliffs_delta(const std::vector<double>& first, const std::vector<double>& second) {
  double more = 0;
  for (const double a : first)
    for (const double b : second) more += b > a ? 1 : b < a ? -1 : 0;
  return more / (static_cast<double>(first.size()) * static_cast<double>(second.size()));
}

std::vector<double> holm_adjusted(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double highest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    highest = std::max(highest, std::min(1.0, p[order[i]] * static_cast<double>(p.size() - i)));
    adjusted[order[i]] = highest;
  }
  return adjusted;
}

}  // namespace brokerlab
