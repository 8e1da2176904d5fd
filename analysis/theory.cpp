#include "analysis/theory.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <vector>

namespace brokerlab::theory {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// P(N = n), N Poisson of mean `mean`, for n below `count`.
std::vector<double> poisson(double mean, std::size_t count) {
  std::vector<double> probabilities(count);
  double probability = std::exp(-mean);
  for (std::size_t n = 0; n < count; ++n) {
    probabilities[n] = probability;
    probability *= mean / static_cast<double>(n + 1);
  }
  return probabilities;
}

// P(at most j messages wait) of M/D/1, for j below `count`: the distribution of the number in the system by
// the recursion of Tijms, which only adds.
std::vector<double> md1_at_most_waiting(double rho, std::size_t count) {
  const std::vector<double> arrivals = poisson(rho, count + 2);
  std::vector<double> more(count + 2);  // P(more than n arrive during one service)
  double reached = 0;
  for (std::size_t n = 0; n < more.size(); ++n) {
    reached += arrivals[n];
    more[n] = std::max(0.0, 1 - reached);
  }
  std::vector<double> in_system{1 - rho};
  for (std::size_t j = 1; j <= count; ++j) {
    double sum = in_system[0] * more[j - 1];
    for (std::size_t k = 1; k < j; ++k) sum += in_system[k] * more[j - k];
    in_system.push_back(sum / (1 - more[0]));
  }
  std::vector<double> at_most(count);
  double total = in_system[0];
  for (std::size_t j = 0; j < count; ++j) at_most[j] = total += in_system[j + 1];
  return at_most;
}

}  // namespace

double utilisation(double rate, double service, std::size_t servers) {
  return rate * service / static_cast<double>(servers);
}

double dd_wait(double rate, double service, std::size_t servers, std::size_t index) {
  const auto count = static_cast<double>(servers);
  const double behind = service - count / rate;
  const std::size_t round = index / servers;  // of all servers
  return behind <= 0 ? 0 : static_cast<double>(round) * behind;
}

double erlang_c(double offered, std::size_t servers) {
  double blocked = 1;
  for (std::size_t k = 1; k <= servers; ++k) {
    blocked = offered * blocked / (static_cast<double>(k) + offered * blocked);
  }
  const double rho = offered / static_cast<double>(servers);
  return rho >= 1 ? 1 : blocked / (1 - rho * (1 - blocked));
}

double mm_mean_wait(double rate, double service, std::size_t servers) {
  const double spare = static_cast<double>(servers) / service - rate;
  return spare <= 0 ? kNever : erlang_c(rate * service, servers) / spare;
}

double mm_wait_quantile(double rate, double service, std::size_t servers, double q) {
  return gg_wait_quantile(rate, service, servers, 1, 1, q);
}

double mg1_mean_wait(double rate, double service, double service_scv) {
  const double rho = rate * service;
  return rho >= 1 ? kNever : rho * service * (1 + service_scv) / (2 * (1 - rho));
}

double md1_wait_cdf(double rate, double service, double t) {
  if (t < 0) return 0;
  const double rho = rate * service;
  if (rho >= 1) return 0;
  const auto k = static_cast<std::size_t>(std::floor(t / service)) + 1;
  const double rest = rate * (static_cast<double>(k) * service - t);
  const std::vector<double> arrivals = poisson(rest, k), at_most = md1_at_most_waiting(rho, k);
  double sum = 0;
  for (std::size_t j = 0; j < k; ++j) sum += at_most[k - 1 - j] * arrivals[j];
  return std::min(1.0, sum);
}

double md1_wait_quantile(double rate, double service, double q) {
  if (rate * service >= 1) return kNever;
  if (md1_wait_cdf(rate, service, 0) >= q) return 0;
  double low = 0, high = service;
  while (md1_wait_cdf(rate, service, high) < q) {
    low = high;
    high *= 2;
  }
  for (int halving = 0; halving < 50; ++halving) {
    const double middle = (low + high) / 2;
    (md1_wait_cdf(rate, service, middle) < q ? low : high) = middle;
  }
  return high;
}

double gg_mean_wait(double rate, double service, std::size_t servers, double arrival_scv,
                    double service_scv) {
  return mm_mean_wait(rate, service, servers) * (arrival_scv + service_scv) / 2;
}

double gg_wait_quantile(double rate, double service, std::size_t servers, double arrival_scv,
                        double service_scv, double q) {
  const double mean = gg_mean_wait(rate, service, servers, arrival_scv, service_scv);
  if (mean == kNever) return kNever;
  const double waits = erlang_c(rate * service, servers);
  return waits <= 1 - q ? 0 : mean / waits * std::log(waits / (1 - q));
}

double prefetch_throughput(double service, double turnaround, std::size_t prefetch) {
  return std::min(1 / service, static_cast<double>(prefetch) / (service + turnaround));
}

double push_makespan(std::span<const double> services, std::size_t workers) {
  std::vector<double> busy(workers);
  for (std::size_t i = 0; i < services.size(); ++i) busy[i % workers] += services[i];
  return *std::max_element(busy.begin(), busy.end());
}

double fair_makespan(std::span<const double> services, std::size_t workers) {
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (std::size_t i = 0; i < workers; ++i) free_at.push(0);
  double last = 0;
  for (const double service : services) {
    const double done = free_at.top() + service;
    free_at.pop();
    free_at.push(done);
    last = std::max(last, done);
  }
  return last;
}

}  // namespace brokerlab::theory
