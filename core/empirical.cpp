#include "core/empirical.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr std::array kShares = {0.0,  0.01, 0.02, 0.05, 0.1,   0.15, 0.2,   0.25,  0.3,   0.35,   0.4,
                                0.45, 0.5,  0.55, 0.6,  0.65,  0.7,  0.75,  0.8,   0.85,  0.9,    0.925,
                                0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999, 0.9999, 1.0};

}  // namespace

Empirical::Empirical(std::vector<Point> points) : points_(std::move(points)) {
  if (points_.size() == 1) mean_ = points_.front().value;
  for (std::size_t i = 1; i < points_.size(); ++i) {
    const Point& a = points_[i - 1];
    const Point& b = points_[i];
    mean_ += (b.share - a.share) * (a.value + b.value) / 2;
  }
}

Empirical Empirical::of_samples(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  std::vector<Point> points;
  const auto last = static_cast<double>(samples.size() - 1);
  for (const double share : kShares) {
    const double place = share * last;
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, samples.size() - 1);
    const double part = place - static_cast<double>(below);
    points.push_back({share, samples[below] + part * (samples[above] - samples[below])});
  }
  return Empirical(std::move(points));
}

Empirical Empirical::from_json(const Json& json, const std::string& where) {
  const auto refuse = [&] {
    throw Error("this is no list of quantiles: " + json.dump().substr(0, 80), where,
                "write [[share, value], ...], both rising, from share 0 to share 1", ExitStatus::kUsage);
  };
  if (!json.is_array() || json.size() < 2) refuse();
  std::vector<Point> points;
  for (const Json& pair : json) {
    const bool numbers = pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[1].is_number();
    if (!numbers) refuse();
    const Point point{pair[0].get<double>(), pair[1].get<double>()};
    const bool rises =
        points.empty() || (point.share > points.back().share && point.value >= points.back().value);
    if (!rises || point.value < 0 || !std::isfinite(point.value)) refuse();
    points.push_back(point);
  }
  if (points.front().share != 0 || points.back().share != 1) refuse();
  return Empirical(std::move(points));
}

Json Empirical::to_json() const {
  Json json = Json::array();
  for (const Point& point : points_) json.push_back(Json::array({point.share, point.value}));
  return json;
}

double Empirical::quantile(double share) const {
  const auto above = std::upper_bound(points_.begin(), points_.end(), share,
                                      [](double wanted, const Point& point) { return wanted < point.share; });
  if (above == points_.begin()) return points_.front().value;
  if (above == points_.end()) return points_.back().value;
  const Point& a = *(above - 1);
  return a.value + (share - a.share) / (above->share - a.share) * (above->value - a.value);
}

double Empirical::draw(Random& random, std::uint64_t) const { return quantile(random.uniform()); }

// Of a straight line from a to b: (a^2 + a b + b^2) / 3.
double Empirical::second_moment() const {
  double moment = 0;
  for (std::size_t i = 1; i < points_.size(); ++i) {
    const Point& a = points_[i - 1];
    const Point& b = points_[i];
    moment += (b.share - a.share) * (a.value * a.value + a.value * b.value + b.value * b.value) / 3;
  }
  return moment;
}

Empirical Empirical::less(double amount) const {
  std::vector<Point> points = points_;
  for (Point& point : points) point.value = std::max(0.0, point.value - amount);
  return Empirical(std::move(points));
}

Empirical Empirical::rest_of_sum(const Empirical& part) const {
  std::vector<Point> points = points_;
  double least = 0;  // quantiles rise
  for (Point& point : points) least = point.value = std::max(least, point.value - part.quantile(point.share));
  return Empirical(std::move(points));
}

}  // namespace brokerlab
