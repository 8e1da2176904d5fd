#include "analysis/rate_curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace brokerlab {
namespace {

constexpr std::size_t kLeastRates = 2;  // of a curve
constexpr double kSameRate = 1.01;      // rates nearer than this are one
constexpr double kSamplesBeyond = 10;   // a percentile is trusted where at least so many lie beyond it

const Json& entries(const Json& holder, std::string_view pointer) {
  static const Json kNone = Json::array();
  const Json* list = find_value(holder, pointer);
  return list != nullptr && list->is_array() ? *list : kNone;
}

const Json* run_named(const Json& result, const std::string& variant, double repetition) {
  for (const Json& run : entries(result, "/runs")) {
    const Json* name = find_value(run, "/variant");
    if (name != nullptr && *name == variant && find_number(run, "/repetition") == repetition) return &run;
  }
  return nullptr;
}

void add_run(CurvePoint& point, const Json& run, const std::string& outcome) {
  point.runs.runs.push_back(&run);
  point.outcomes.push_back(outcome);
}

RateCurve curve_of_search(const Json& result, const Json& variant) {
  RateCurve curve;
  curve.sustained_per_s = find_number(variant, "/sustained_per_s");
  curve.lowest_failed_per_s = find_number(variant, "/lowest_failed_per_s");
  for (const Json& rate : entries(variant, "/rates")) {
    CurvePoint point;
    point.offered_per_s = find_number(rate, "/rate_per_s").value_or(0);
    point.outcome = find_text(rate, "/outcome");
    for (const Json& trial : entries(variant, "/trials")) {
      const Json* name = find_value(trial, "/variant");
      if (find_number(trial, "/rate_per_s") != point.offered_per_s || name == nullptr || !name->is_string())
        continue;
      const Json* run =
          run_named(result, name->get<std::string>(), find_number(trial, "/repetition").value_or(0));
      if (run == nullptr) continue;
      add_run(point, *run, find_text(trial, "/outcome"));
      const Json& reasons = entries(trial, "/reasons");
      if (point.reason.empty() && !reasons.empty()) point.reason = find_text(reasons[0], "");
    }
    if (!point.runs.runs.empty() && point.offered_per_s > 0) curve.points.push_back(std::move(point));
  }
  return curve;
}

// What must be the same for two variants to be points of one curve.
std::string settings_key(Json settings) {
  for (const char* text : {"description", "question", "thresholds", "charts"}) settings.erase(text);
  const auto loads = settings.find("load");
  if (loads == settings.end() || !loads->is_array()) return settings.dump();
  for (Json& load : *loads)
    if (load.is_object() && load.contains("arrivals") && load["arrivals"].is_object())
      load["arrivals"].erase("rate");
  return settings.dump();
}

// "quorum" of "quorum,arrivals.rate=400".
std::string without_rate(const std::string& name) {
  std::string rest;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find(',', at), name.size());
    const std::string part = name.substr(at, end - at);
    if (part.find("rate=") == std::string::npos) rest += (rest.empty() ? "" : ",") + part;
    at = end + 1;
  }
  return rest;
}

std::optional<double> median_rate(const ChartVariant& runs) {
  const auto rates = spread(runs, "/rates/offered_per_s");
  return rates ? std::optional(rates->median) : std::nullopt;
}

std::vector<RateCurve> curves_of_variants(const Json& result) {
  std::map<std::string, CurvePoint> points;  // by variant
  std::vector<std::string> order;
  for (const Json& run : entries(result, "/runs")) {
    const std::string name = find_text(run, "/variant");
    if (!points.contains(name)) order.push_back(name);
    add_run(points[name], run, "");
  }
  const Json* settings = find_value(result, "/plan/variants");
  std::vector<RateCurve> curves;
  std::vector<std::string> keys;
  for (const std::string& name : order) {
    CurvePoint& point = points[name];
    const auto rate = median_rate(point.runs);
    if (!rate || *rate <= 0 || settings == nullptr || !settings->is_object() || !settings->contains(name))
      continue;
    if (!settings->at(name).is_object()) continue;
    point.offered_per_s = *rate;
    const std::string key = settings_key(settings->at(name));
    const auto known = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), key) - keys.begin());
    if (known == keys.size()) {
      keys.push_back(key);
      curves.emplace_back();
      curves.back().name = without_rate(name);
    }
    curves[known].points.push_back(std::move(point));
  }
  return curves;
}

bool is_curve(const RateCurve& curve) {
  return curve.points.size() >= kLeastRates &&
         curve.points.back().offered_per_s > kSameRate * curve.points.front().offered_per_s;
}

}  // namespace

std::vector<RateCurve> searched_curves(const Json& result) {
  std::vector<RateCurve> curves;
  for (const Json& variant : entries(result, "/search/variants")) {
    curves.push_back(curve_of_search(result, variant));
    curves.back().name = find_text(variant, "/variant");
  }
  return curves;
}

std::vector<RateCurve> rate_curves(const std::vector<const Json*>& results) {
  std::vector<RateCurve> all;
  for (const Json* result : results) {
    std::vector<RateCurve> curves = searched_curves(*result);
    const bool searched = !curves.empty();
    if (curves.size() == 1) curves.front().name.clear();
    if (!searched) curves = curves_of_variants(*result);
    for (RateCurve& curve : curves) {
      std::stable_sort(curve.points.begin(), curve.points.end(),
                       [](const auto& a, const auto& b) { return a.offered_per_s < b.offered_per_s; });
      if (searched ? curve.points.empty() : !is_curve(curve)) continue;
      const std::string experiment = find_text(*result, "/experiment");
      if (curve.name.empty())
        curve.name = experiment;
      else if (results.size() > 1)
        curve.name = experiment + " / " + curve.name;
      curve.colour = static_cast<int>(all.size());
      for (CurvePoint& point : curve.points) {
        point.runs.name = curve.name;
        point.runs.colour = curve.colour;
      }
      all.push_back(std::move(curve));
    }
  }
  return all;
}

std::string_view stream_of(const RateCurve& curve) {
  const bool received = std::any_of(curve.points.begin(), curve.points.end(), [](const CurvePoint& point) {
    return merged_histogram(point.runs, "end_to_end").has_value();
  });
  return received ? "end_to_end" : "confirm";
}

std::optional<double> quantile_of(const CurvePoint& point, std::string_view stream, double q) {
  // The trials of a search are judged one by one, and most of them decide: the middle one stands for the
  // rate. Where one had too few samples, all together may have enough.
  if (!point.outcomes.empty()) {
    const auto trials = spread(point.runs, fmt::format("/latency/{}/p{:g}_ns", stream, 100 * q));
    if (trials && trials->repetitions == point.runs.runs.size()) return trials->median;
  }
  const auto histogram = merged_histogram(point.runs, stream);
  if (!histogram || static_cast<double>(histogram->count()) * (1 - q) < kSamplesBeyond - 1e-9)
    return std::nullopt;
  return static_cast<double>(histogram->quantile(q));
}

}  // namespace brokerlab
