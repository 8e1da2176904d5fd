#include "analysis/export_csv.h"

#include <array>
#include <string_view>

namespace brokerlab {
namespace {

// Quoted where a reader could take it for something else (RFC 4180).
std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string_view unit_of(std::string_view metric) {
  if (metric.rfind("phase_ns.", 0) == 0) return "ns";
  struct Unit {
    std::string_view suffix, unit;
  };
  static constexpr std::array<Unit, 3> kUnits = {{{"_ns", "ns"}, {"_per_s", "1/s"}, {"bytes", "bytes"}}};
  for (const auto& [suffix, unit] : kUnits) {
    if (metric.size() >= suffix.size() && metric.substr(metric.size() - suffix.size()) == suffix) return unit;
  }
  return "";
}

std::string run_cells(const Json& run) {
  return cell(run.at("variant").get<std::string>()) + "," + run.at("repetition").dump() + ",";
}

// Rows for every number at or below `value`. Lists are no metrics: what they list has no name of its own.
void add_rows(const std::string& run, const std::string& metric, const Json& value, std::string& text) {
  if (value.is_number()) {
    text += run + cell(metric) + "," + value.dump() + "," + std::string(unit_of(metric)) + "\n";
  } else if (value.is_object()) {
    for (auto entry = value.begin(); entry != value.end(); ++entry)
      add_rows(run, metric + "." + entry.key(), entry.value(), text);
  }
}

}  // namespace

std::string export_csv(const Json& runs) {
  std::string text = "variant,repetition,metric,value,unit\n";
  for (const Json& run : runs) {
    const std::string cells = run_cells(run);
    for (const char* part :
         {"phase_ns", "rates", "latency", "fairness", "ledger", "network", "pipeline", "makespan_ns"}) {
      if (run.contains(part)) add_rows(cells, part, run.at(part), text);
    }
  }
  return text;
}

std::string export_series_csv(const Json& runs) {
  std::string text = "variant,repetition,metric,at_ns,value,unit\n";
  for (const Json& run : runs) {
    const std::string cells = run_cells(run);
    const Json& series = run.at("series");
    const auto interval = series.at("interval_ns").get<std::int64_t>();
    for (auto entry = series.begin(); entry != series.end(); ++entry) {
      if (!entry.value().is_array()) continue;
      std::int64_t at = 0;
      for (const Json& value : entry.value()) {
        if (value.is_number())
          text += cells + cell(entry.key()) + "," + std::to_string(at) + "," + value.dump() + "," +
                  std::string(unit_of(entry.key())) + "\n";
        at += interval;
      }
    }
  }
  return text;
}

}  // namespace brokerlab
