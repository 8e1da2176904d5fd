#include "analysis/search_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "analysis/rate_curve.h"
#include "core/units.h"

namespace brokerlab {
namespace {

constexpr std::size_t kLongestReason = 300;
constexpr std::size_t kMostReasons = 3;  // of a sentence; the table has the first, the result all of them

const Json& entries(const Json& holder, std::string_view pointer) {
  static const Json kNone = Json::array();
  const Json* list = find_value(holder, pointer);
  return list != nullptr && list->is_array() ? *list : kNone;
}

// "42,000/s"; all digits, for rates are chosen and not measured.
std::string rate_shown(double per_s) {
  constexpr double kMost = 1e15;  // of what a result from elsewhere may say
  if (!(per_s >= 0 && per_s < kMost) || per_s != std::floor(per_s)) return fmt::format("{:.6g}/s", per_s);
  return format_count(static_cast<std::uint64_t>(per_s)) + "/s";
}

// What the conditions of the file are, besides those that go without saying.
std::string conditions_text(const Json& result) {
  std::vector<std::string> texts;
  for (const Json& condition : entries(result, "/search/conditions")) {
    const std::string text = find_text(condition, "");
    if (text != "ledger.lost == 0" && !text.starts_with("backlog.growth_share <= ")) texts.push_back(text);
  }
  return texts.empty() ? "" : fmt::format(" with {}", fmt::join(texts, " and "));
}

// Why the rate was not sustained, in the words of its first trial of that outcome.
std::string reason_at(const Json& variant, std::optional<double> rate, const std::string& outcome) {
  for (const Json& trial : entries(variant, "/trials")) {
    if (find_number(trial, "/rate_per_s") != rate || find_text(trial, "/outcome") != outcome) continue;
    std::vector<std::string> reasons;
    for (const Json& reason : entries(trial, "/reasons"))
      if (reasons.size() < kMostReasons) reasons.push_back(find_text(reason, "", kLongestReason));
    return fmt::format("{}", fmt::join(reasons, ", "));
  }
  return "";
}

std::string tail_text(const Json& result, const Json& variant, double rate) {
  for (const SearchRow& row : search_rows(result)) {
    if (row.variant != find_text(variant, "/variant") || row.rate_per_s != rate || !row.p99_ns) continue;
    return fmt::format(" (p99 {})", format_duration(static_cast<Nanoseconds>(*row.p99_ns)));
  }
  return "";
}

std::string sentence_of(const Json& result, const Json& variant, const std::string& who) {
  const auto sustained = find_number(variant, "/sustained_per_s"),
             failed = find_number(variant, "/lowest_failed_per_s"),
             undecided = find_number(variant, "/lowest_undecided_per_s");
  const std::string outcome = find_text(variant, "/outcome");
  const auto after = [&](std::optional<double> rate, const char* trial_outcome) {
    return fmt::format("at {} {}", rate_shown(*rate), reason_at(variant, rate, trial_outcome));
  };
  if (!sustained) {
    const double from = find_number(variant, "/from_per_s").value_or(0);
    if (outcome == "below")
      return fmt::format("{} does not sustain even {}: {}.", who, rate_shown(from),
                         reason_at(variant, failed, "not sustained"));
    if (outcome == "undecided")
      return fmt::format("Whether {} sustains {} could not be told: {}.", who, rate_shown(from),
                         reason_at(variant, undecided, "undecided"));
    return fmt::format("The search ended before anything was known of {}.", who);
  }
  const std::string held =
      rate_shown(*sustained) + conditions_text(result) + tail_text(result, variant, *sustained);
  if (outcome == "found")
    return fmt::format("{} sustains {}; {}.", who, held, after(failed, "not sustained"));
  if (outcome == "unfinished")
    return fmt::format("{} sustains at least {}; the search was ended before it knew more.", who, held);
  if (undecided && (!failed || *undecided < *failed))
    return fmt::format(
        "{} sustains at least {}; above that it could not be told whether the broker is the limit: {}.", who,
        held, after(undecided, "undecided"));
  return fmt::format("{} sustains at least {}, the highest rate that was to be tried.", who, held);
}

}  // namespace

std::vector<SearchRow> search_rows(const Json& result) {
  std::vector<SearchRow> rows;
  for (const RateCurve& curve : searched_curves(result)) {
    for (const CurvePoint& point : curve.points) {
      SearchRow row;
      row.variant = curve.name;
      row.rate_per_s = point.offered_per_s;
      row.outcome = point.outcome;
      row.trials = point.outcomes.size();
      row.sustained =
          static_cast<std::size_t>(std::count(point.outcomes.begin(), point.outcomes.end(), "sustained"));
      row.p50_ns = quantile_of(point, stream_of(curve), 0.5);
      row.p99_ns = quantile_of(point, stream_of(curve), 0.99);
      if (const auto rate = spread(point.runs, "/rates/delivered_per_s")) row.delivered_per_s = rate->median;
      if (const auto growth = spread(point.runs, "/backlog/growth_per_s")) row.growth_per_s = growth->median;
      row.reason = point.reason;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<std::string> search_sentences(const Json& result) {
  std::vector<std::string> sentences;
  const Json& variants = entries(result, "/search/variants");
  for (const Json& variant : variants) {
    const std::string who =
        find_text(variants.size() > 1 ? variant : result, variants.size() > 1 ? "/variant" : "/experiment");
    sentences.push_back(sentence_of(result, variant, who));
    for (const Json& each : entries(variant, "/contradictions")) {
      const std::string failed = rate_shown(find_number(each, "/failed_at_per_s").value_or(0)),
                        passed = rate_shown(find_number(each, "/sustained_at_per_s").value_or(0));
      const Json* decided = find_value(each, "/decided");
      sentences.push_back(decided != nullptr && *decided == true
                              ? fmt::format("{}: {} failed though {} is sustained: which rates are "
                                            "sustained is not a matter of the rate alone.",
                                            who, failed, passed)
                              : fmt::format("{}: a trial at {} failed though one at {} passed: the limit is "
                                            "not a sharp one.",
                                            who, failed, passed));
    }
  }
  return sentences;
}

std::vector<const Json*> telling_runs(const Json& result) {
  std::vector<const Json*> runs;
  for (const RateCurve& curve : searched_curves(result)) {
    for (const CurvePoint& point : curve.points) {
      const bool told = !curve.sustained_per_s || point.offered_per_s == *curve.sustained_per_s;
      if (told) runs.insert(runs.end(), point.runs.runs.begin(), point.runs.runs.end());
    }
  }
  if (find_value(result, "/search") != nullptr && !runs.empty()) return runs;
  for (const Json& run : entries(result, "/runs")) runs.push_back(&run);
  return runs;
}

}  // namespace brokerlab
