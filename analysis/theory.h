#pragma once

#include <cstddef>
#include <span>

namespace brokerlab::theory {

// The textbook laws of waiting that stand beside a measurement. Rates are per second, times in seconds;
// `wait` is from arrival to the start of service. Every law needs a load below what its servers can do
// (except dd_wait, which knows what an overload does), and gives infinity beyond it. An scv is a squared
// coefficient of variation: variance / mean^2.

// rho: the share of their time that `servers` work.
double utilisation(double rate, double service, std::size_t servers);

// Constant arrivals, constant service: wait of message `index` (from 0).
double dd_wait(double rate, double service, std::size_t servers, std::size_t index);

// The probability that an arrival waits, M/M/c (Erlang 1917), by the recursion of Erlang B. `offered` = rate
// x service.
double erlang_c(double offered, std::size_t servers);
double mm_mean_wait(double rate, double service, std::size_t servers);
// Nearest t with P(wait <= t) >= q.
double mm_wait_quantile(double rate, double service, std::size_t servers, double q);

// Poisson arrivals, one server, any service: Pollaczek and Khinchine.
double mg1_mean_wait(double rate, double service, double service_scv);

// Poisson arrivals, one server, constant service. P(wait <= t) after Franx (2001), whose terms are all
// positive: the alternating series of Erlang loses its digits in the tail.
double md1_wait_cdf(double rate, double service, double t);
double md1_wait_quantile(double rate, double service, double q);

// Any arrivals, any service, `servers` on one queue: the approximation of Allen and Cunneen (1978). Exact for
// M/M/c and M/G/1.
double gg_mean_wait(double rate, double service, std::size_t servers, double arrival_scv, double service_scv);
// With an exponential tail below the probability of waiting: an approximation.
double gg_wait_quantile(double rate, double service, std::size_t servers, double arrival_scv,
                        double service_scv, double q);

// Messages per second of one consumer that may hold `prefetch` messages: `service` is the work, `turnaround`
// the time from an acknowledgement to the delivery that it makes room for.
double prefetch_throughput(double service, double turnaround, std::size_t prefetch);

// How long `workers` take for tasks that are all there at the start. Dealt out in turn beforehand (push); or
// each taken, in order, by whoever is free first (fair dispatch: Graham's list scheduling, 1966).
double push_makespan(std::span<const double> services, std::size_t workers);
double fair_makespan(std::span<const double> services, std::size_t workers);

}  // namespace brokerlab::theory
