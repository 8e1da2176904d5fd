#include "core/distribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

[[noreturn]] void refuse(const std::string& what, const std::string& remedy) {
  throw Error(what, "", remedy, ExitStatus::kUsage);
}

class Constant final : public Distribution {
 public:
  explicit Constant(double value) : value_(value) {}
  double draw(Random&, std::uint64_t) const override { return value_; }
  double mean() const override { return value_; }
  double second_moment() const override { return value_ * value_; }

 private:
  double value_;
};

class Uniform final : public Distribution {
 public:
  Uniform(double low, double high) : low_(low), high_(high) {}
  double draw(Random& random, std::uint64_t) const override {
    return low_ + (high_ - low_) * random.uniform();
  }
  double mean() const override { return (low_ + high_) / 2; }
  double second_moment() const override { return (low_ * low_ + low_ * high_ + high_ * high_) / 3; }

 private:
  double low_, high_;
};

class Exponential final : public Distribution {
 public:
  explicit Exponential(double mean) : mean_(mean) {}
  double draw(Random& random, std::uint64_t) const override { return random.exponential(mean_); }
  double mean() const override { return mean_; }
  double second_moment() const override { return 2 * mean_ * mean_; }

 private:
  double mean_;
};

// Normal with its negative part moved to 0; the moments are those of what is drawn, not of the uncut bell.
class CutNormal final : public Distribution {
 public:
  CutNormal(double mean, double deviation) : mean_(mean), deviation_(deviation) {}
  double draw(Random& random, std::uint64_t) const override {
    return std::max(0.0, random.normal(mean_, deviation_));
  }
  double mean() const override {
    return deviation_ == 0 ? mean_ : mean_ * share_above_zero() + deviation_ * density_at_zero();
  }
  double second_moment() const override {
    return deviation_ == 0 ? mean_ * mean_
                           : (mean_ * mean_ + deviation_ * deviation_) * share_above_zero() +
                                 mean_ * deviation_ * density_at_zero();
  }

 private:
  double share_above_zero() const { return 0.5 * std::erfc(-mean_ / deviation_ / std::numbers::sqrt2); }
  double density_at_zero() const {
    const double z = mean_ / deviation_;
    return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
  }
  double mean_, deviation_;
};

// Declared by the mean and deviation of the values themselves, as people measure them, not of their
// logarithm.
class LogNormal final : public Distribution {
 public:
  LogNormal(double mean, double deviation) : mean_(mean), deviation_(deviation) {
    const double ratio = deviation / mean;
    sigma_ = std::sqrt(std::log1p(ratio * ratio));
    mu_ = std::log(mean) - sigma_ * sigma_ / 2;
  }
  double draw(Random& random, std::uint64_t) const override { return std::exp(random.normal(mu_, sigma_)); }
  double mean() const override { return mean_; }
  double second_moment() const override { return mean_ * mean_ + deviation_ * deviation_; }

 private:
  double mean_, deviation_, mu_, sigma_;
};

class Pareto final : public Distribution {
 public:
  Pareto(double minimum, double shape) : minimum_(minimum), shape_(shape) {}
  double draw(Random& random, std::uint64_t) const override {
    return minimum_ / std::pow(1 - random.uniform(), 1 / shape_);
  }
  double mean() const override { return shape_ > 1 ? shape_ * minimum_ / (shape_ - 1) : kInfinite; }
  double second_moment() const override {
    return shape_ > 2 ? shape_ * minimum_ * minimum_ / (shape_ - 2) : kInfinite;
  }

 private:
  double minimum_, shape_;
};

class Choice final : public Distribution {
 public:
  Choice(std::vector<double> values, const std::vector<double>& weights) : values_(std::move(values)) {
    std::partial_sum(weights.begin(), weights.end(), std::back_inserter(reached_));
  }
  double draw(Random& random, std::uint64_t) const override {
    const double at = random.uniform() * reached_.back();
    const auto found = std::upper_bound(reached_.begin(), reached_.end(), at);
    return values_[std::min<std::size_t>(static_cast<std::size_t>(found - reached_.begin()),
                                         values_.size() - 1)];
  }
  double mean() const override { return moment(1); }
  double second_moment() const override { return moment(2); }

 private:
  double moment(int power) const {
    double sum = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      sum += (reached_[i] - (i == 0 ? 0 : reached_[i - 1])) * std::pow(values_[i], power);
    }
    return sum / reached_.back();
  }
  std::vector<double> values_;
  std::vector<double> reached_;  // sums of the weights up to and with each value
};

class Cycle final : public Distribution {
 public:
  explicit Cycle(std::vector<double> values) : values_(std::move(values)) {}
  double draw(Random&, std::uint64_t index) const override { return values_[index % values_.size()]; }
  double mean() const override {
    return std::accumulate(values_.begin(), values_.end(), 0.0) / static_cast<double>(values_.size());
  }
  double second_moment() const override {
    return std::inner_product(values_.begin(), values_.end(), values_.begin(), 0.0) /
           static_cast<double>(values_.size());
  }

 private:
  std::vector<double> values_;
};

// The parameters of one declaration: each is asked for once, and what was not asked for is an error.
class Parameters {
 public:
  Parameters(const Json& value, Distribution::NumberParser number) : value_(value), number_(number) {
    if (!value.contains("distribution") || !value["distribution"].is_string()) {
      refuse("a distribution has no name", "add \"distribution\": \"exponential\" or another one");
    }
    kind_ = value["distribution"].get<std::string>();
  }

  const std::string& kind() const { return kind_; }

  double number(const char* key) {
    const double parsed = number_(member(key));
    if (!std::isfinite(parsed) || parsed < 0) {
      refuse("\"" + std::string(key) + "\" of the distribution is negative", "give a number from 0 up");
    }
    return parsed;
  }
  double positive(const char* key) {
    const double parsed = number(key);
    if (parsed <= 0) {
      refuse("\"" + std::string(key) + "\" of the distribution is 0", "give a number above 0");
    }
    return parsed;
  }
  double plain_positive(const char* key) {
    const double parsed = plain_number(member(key));
    if (!(parsed > 0)) {
      refuse("\"" + std::string(key) + "\" of the distribution is not above 0", "give a number above 0");
    }
    return parsed;
  }
  std::vector<double> list(const char* key, Distribution::NumberParser number) {
    const Json& values = member(key);
    if (!values.is_array() || values.empty()) {
      refuse("\"" + std::string(key) + "\" of the distribution is no list of numbers",
             "give at least one number");
    }
    std::vector<double> parsed;
    for (const Json& value : values) {
      parsed.push_back(number(value));
      if (!(parsed.back() >= 0)) {
        refuse(fmt::format("\"{}\" of the distribution holds a negative number", key),
               "give numbers from 0 up");
      }
    }
    return parsed;
  }
  std::vector<double> values() { return list("values", number_); }
  std::vector<double> weights(std::size_t values) {
    if (!value_.contains("weights")) {
      return std::vector<double>(values, 1.0);
    }
    std::vector<double> weights = list("weights", plain_number);
    if (weights.size() != values || std::accumulate(weights.begin(), weights.end(), 0.0) <= 0) {
      refuse("the weights of the distribution do not fit its values",
             "give one weight per value, not all of them 0");
    }
    return weights;
  }
  void nothing_left() const {
    for (const auto& [key, value] : value_.items()) {
      if (key != "distribution" && std::find(asked_.begin(), asked_.end(), key) == asked_.end()) {
        refuse("the distribution " + kind_ + " has no \"" + key + "\"", "leave it out");
      }
    }
  }

 private:
  const Json& member(const char* key) {
    if (!value_.contains(key)) {
      refuse("the distribution " + kind_ + " lacks \"" + key + "\"", "add it");
    }
    asked_.emplace_back(key);
    return value_[key];
  }

  const Json& value_;
  Distribution::NumberParser number_;
  std::string kind_;
  std::vector<std::string> asked_;
};

std::unique_ptr<Distribution> make(Parameters& parameters) {
  const std::string& kind = parameters.kind();
  if (kind == "uniform") {
    const double low = parameters.number("min");
    const double high = parameters.number("max");
    if (high < low) {
      refuse("\"max\" of the distribution is below its \"min\"", "swap them");
    }
    return std::make_unique<Uniform>(low, high);
  }
  if (kind == "exponential") {
    return std::make_unique<Exponential>(parameters.number("mean"));
  }
  if (kind == "normal") {
    const double mean = parameters.number("mean");
    return std::make_unique<CutNormal>(mean, parameters.number("deviation"));
  }
  if (kind == "lognormal") {
    const double mean = parameters.positive("mean");
    return std::make_unique<LogNormal>(mean, parameters.number("deviation"));
  }
  if (kind == "pareto") {
    const double minimum = parameters.positive("minimum");
    return std::make_unique<Pareto>(minimum, parameters.plain_positive("shape"));
  }
  if (kind == "choice") {
    std::vector<double> values = parameters.values();
    const std::vector<double> weights = parameters.weights(values.size());
    return std::make_unique<Choice>(std::move(values), weights);
  }
  if (kind == "cycle") {
    return std::make_unique<Cycle>(parameters.values());
  }
  const std::string near =
      nearest_word(kind, {"uniform", "exponential", "normal", "lognormal", "pareto", "choice", "cycle"});
  refuse("no distribution is called \"" + kind + "\"",
         near.empty() ? "use uniform, exponential, normal, lognormal, pareto, choice or cycle"
                      : "did you mean \"" + near + "\"?");
}

}  // namespace

std::unique_ptr<Distribution> Distribution::from_json(const Json& value, NumberParser number) {
  if (!value.is_object()) {
    const double constant = number(value);
    if (!std::isfinite(constant) || constant < 0) {
      refuse(value.dump() + " is negative", "give a number from 0 up");
    }
    return std::make_unique<Constant>(constant);
  }
  Parameters parameters(value, number);
  std::unique_ptr<Distribution> distribution = make(parameters);
  parameters.nothing_left();
  return distribution;
}

double number_of_seconds(const Json& value) {
  return static_cast<double>(parse_duration(value)) / static_cast<double>(kNanosecondsPerSecond);
}

double number_of_bytes(const Json& value) { return static_cast<double>(parse_size(value)); }

double plain_number(const Json& value) {
  if (!value.is_number()) {
    refuse(value.dump(-1, ' ', false, Json::error_handler_t::replace) + " is no number",
           "give a plain number");
  }
  return value.get<double>();
}

}  // namespace brokerlab
