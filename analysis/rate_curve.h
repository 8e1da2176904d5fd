#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/chart_source.h"
#include "core/json.h"

namespace brokerlab {

// The runs at one rate.
struct CurvePoint {
  double offered_per_s = 0;
  ChartVariant runs;                  // as one variant
  std::vector<std::string> outcomes;  // of a search, run by run: sustained, not sustained, undecided
  std::string outcome;                // of a search, of the rate; "" when it was not decided, or is none
  std::string reason;                 // of a search: why its first trial that was not sustained was not
};

// One setting at several rates, lowest first: a variant of a search, or variants of an ordinary result that
// differ in nothing but the rates of their loads. Keeps pointers into the result, which must outlive it.
struct RateCurve {
  std::string name;
  int colour = 0;
  std::vector<CurvePoint> points;
  std::optional<double> sustained_per_s, lowest_failed_per_s;  // of a search
};

// Of a search: every rate that was tried, by variant.
std::vector<RateCurve> searched_curves(const Json& result);

// What can be drawn: those of a search, be it that only one rate was tried, else curves of at least two
// rates.
std::vector<RateCurve> rate_curves(const std::vector<const Json*>& results);

// The stream that a curve is about: until somebody received the message, else until it was confirmed.
std::string_view stream_of(const RateCurve& curve);
// Of a search the median of its trials, else of all messages of the point's runs; nothing where too few
// samples stand beyond it.
std::optional<double> quantile_of(const CurvePoint& point, std::string_view stream, double q);

}  // namespace brokerlab
