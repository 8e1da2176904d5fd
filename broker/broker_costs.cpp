#include "broker/broker_costs.h"

#include <array>
#include <cmath>
#include <utility>

#include "core/empirical.h"
#include "core/error.h"

namespace brokerlab {
namespace {

// Longer than most stalls of a busy host, shorter than what a backlog lasts.
constexpr Nanoseconds kMeasuredHold = 10'000'000;

constexpr std::array kSteps = {
    std::pair{"send", &BrokerCosts::send},       std::pair{"publish", &BrokerCosts::publish},
    std::pair{"confirm", &BrokerCosts::confirm}, std::pair{"deliver", &BrokerCosts::deliver},
    std::pair{"ack", &BrokerCosts::ack},         std::pair{"overshoot", &BrokerCosts::overshoot}};

// Quantiles in nanoseconds, drawn as seconds like every other length of time.
class MeasuredTime final : public Distribution {
 public:
  explicit MeasuredTime(Empirical ns) : ns_(std::move(ns)) {}
  double draw(Random& random, std::uint64_t index) const override { return ns_.draw(random, index) / 1e9; }
  double mean() const override { return ns_.mean() / 1e9; }
  double second_moment() const override { return ns_.second_moment() / 1e18; }

 private:
  Empirical ns_;
};

// `read` with the place in the file in its complaint.
template <class Read>
auto at_key(const char* key, Read read) {
  try {
    return read();
  } catch (const Error& error) {
    throw Error(error.summary(), std::string("/broker/costs/") + key, error.remedy(), ExitStatus::kUsage);
  }
}

StepCost declared_cost(const Json& value) {
  if (value.is_object()) return {Distribution::from_json(value, number_of_seconds), 0};
  return std::llround(number_of_seconds(value) * 1e9);
}

void take_calibration(const Json& calibration, BrokerCosts& costs) {
  const Json& steps = calibration.at("steps");
  for (const auto& [name, cost] : kSteps) {
    if (!steps.contains(name)) continue;
    Empirical measured =
        Empirical::from_json(steps.at(name).at("quantiles_ns"), std::string("calibration, /steps/") + name);
    costs.*cost = StepCost(std::make_shared<MeasuredTime>(std::move(measured)), kMeasuredHold);
  }
  if (const auto route = calibration.find("route_ns"); route != calibration.end() && route->is_number())
    costs.route = std::llround(route->get<double>());
  if (const auto byte = calibration.find("per_byte_ns"); byte != calibration.end() && byte->is_number())
    costs.per_byte_ns = byte->get<double>();
}

}  // namespace

Nanoseconds StepClock::draw(Nanoseconds now) {
  if (cost_.constant()) return cost_.always_ns_;
  const auto ns = [](double seconds) { return std::llround(seconds * 1e9); };
  if (cost_.held_ns_ == 0) return ns(cost_.seconds_->draw(random_, drawn_++));
  const Nanoseconds hold = now / cost_.held_ns_;
  if (hold != held_since_) {
    Random random(seed_, host_, static_cast<std::uint64_t>(hold));
    held_since_ = hold;
    held_value_ = ns(cost_.seconds_->draw(random, 0));
  }
  return held_value_;
}

BrokerCosts BrokerCosts::from_json(const Json& calibration, const Json& declared) {
  BrokerCosts costs;
  try {
    if (calibration.is_object()) take_calibration(calibration, costs);
  } catch (const Json::exception& error) {
    throw Error(std::string("the calibration cannot be used: ") + error.what(), "calibration",
                "write it anew with `brokerlab calibrate`", ExitStatus::kUsage);
  }
  for (const auto& [name, cost] : kSteps) {
    if (declared.is_object() && declared.contains(name)) {
      costs.*cost = at_key(name, [&declared, key = name] { return declared_cost(declared.at(key)); });
    }
    const bool may_be_free = cost == &BrokerCosts::overshoot;
    if ((costs.*cost).free() && !may_be_free) costs.*cost = 1;
  }
  if (!declared.is_object()) return costs;
  const auto ns_of = [&](const char* key) {
    return at_key(key, [&] { return number_of_seconds(declared.at(key)) * 1e9; });
  };
  if (declared.contains("route")) costs.route = std::llround(ns_of("route"));
  if (declared.contains("per_byte")) costs.per_byte_ns = ns_of("per_byte");
  return costs;
}

}  // namespace brokerlab
