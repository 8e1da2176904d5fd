#include "analysis/prediction_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "analysis/flags.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/units.h"

namespace brokerlab {
namespace {

struct Checked {
  const char* name;
  const char* pointer;
  double tolerance;
  bool is_time;
};
constexpr std::array kChecked = {Checked{"delivered_per_s", "/rates/delivered_per_s", 0.05, false},
                                 Checked{"end_to_end mean", "/latency/end_to_end/mean_ns", 0.15, true},
                                 Checked{"end_to_end p99", "/latency/end_to_end/p99_ns", 0.25, true}};

[[noreturn]] void refuse(const std::string& what, const std::string& remedy) {
  throw Error(what, "--predicted", remedy, ExitStatus::kUsage);
}

void refuse_the_wrong_ones(const Json& predicted, const Json& measured) {
  const auto simulated = [](const Json& result) {
    const Json& runs = result.at("runs");
    return std::any_of(runs.begin(), runs.end(), is_simulated);
  };
  if (!simulated(predicted)) refuse("the prediction is no simulation", "run it with --broker simulated");
  if (simulated(measured)) refuse("the measurement is a simulation", "run it on a real broker");
  if (predicted.at("config_hash") != measured.at("config_hash"))
    refuse("prediction and measurement are of different experiments",
           "run the same file with the same settings, once simulated and once not");
  // Both are ISO 8601 in UTC, which sort as they follow each other.
  if (predicted.at("started_at").get<std::string>() >= measured.at("started_at").get<std::string>())
    refuse("the prediction was made after the measurement", "predict first, then measure");
}

std::map<std::string, double> medians(const Json& result, const char* pointer) {
  std::map<std::string, std::vector<double>> values;
  for (const Json& run : result.at("runs")) {
    const JsonPointer at(pointer);
    if (run.contains(at) && run.at(at).is_number())
      values[run.value("variant", "")].push_back(run.at(at).get<double>());
  }
  std::map<std::string, double> all;
  for (auto& [variant, list] : values) {
    std::sort(list.begin(), list.end());
    const std::size_t half = list.size() / 2;
    all[variant] = list.size() % 2 == 1 ? list[half] : (list[half - 1] + list[half]) / 2;
  }
  return all;
}

std::string shown(double value, bool is_time) {
  return is_time ? format_duration(static_cast<Nanoseconds>(value)) : fmt::format("{:.1f}", value);
}

}  // namespace

bool PredictionCheck::ok() const {
  return std::all_of(figures_.begin(), figures_.end(), [](const Figure& figure) { return figure.ok(); });
}

std::string PredictionCheck::text() const {
  std::string text = fmt::format("{:<16} {:<16} {:>10} {:>10} {:>8} {:>8}\n", "variant", "figure",
                                 "predicted", "measured", "error", "allowed");
  for (const Figure& figure : figures_) {
    const bool is_time = figure.name != kChecked.front().name;
    text += fmt::format("{:<16} {:<16} {:>10} {:>10} {:>+7.1f}% {:>7.0f}%{}\n", figure.variant, figure.name,
                        shown(figure.predicted, is_time), shown(figure.measured, is_time),
                        100 * figure.error(), 100 * figure.tolerance, figure.ok() ? "" : "  too far");
  }
  return text + (ok() ? "validated\n" : "uncalibrated: the simulation is not to be trusted here\n");
}

Json PredictionCheck::to_json() const {
  Json figures = Json::array();
  for (const Figure& figure : figures_) {
    figures.push_back({{"variant", figure.variant},
                       {"figure", figure.name},
                       {"predicted", figure.predicted},
                       {"measured", figure.measured},
                       {"error", figure.error()},
                       {"tolerance", figure.tolerance},
                       {"ok", figure.ok()}});
  }
  return {{"ok", ok()}, {"experiment", experiment_}, {"figures", std::move(figures)}};
}

PredictionCheck check_prediction(const Json& predicted, const Json& measured) {
  refuse_the_wrong_ones(predicted, measured);
  std::vector<PredictionCheck::Figure> figures;
  for (const Checked& checked : kChecked) {
    const auto before = medians(predicted, checked.pointer), after = medians(measured, checked.pointer);
    for (const auto& [variant, value] : after) {
      const auto found = before.find(variant);
      if (found == before.end() || value <= 0) continue;
      figures.push_back({variant, checked.name, found->second, value, checked.tolerance});
    }
  }
  if (figures.empty())
    throw Error("there is nothing that both results hold", "--predicted", "run both to their ends");
  return PredictionCheck(std::move(figures), measured.at("experiment").get<std::string>());
}

}  // namespace brokerlab
