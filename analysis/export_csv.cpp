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

// A row for every number in the lists of `series`, whose interval stands in `axis`.
void add_points(const std::string& run, const std::string& prefix, const Json& series, const Json& axis,
                std::string& text) {
  const auto interval = axis.at("interval_ns").get<std::int64_t>();
  for (auto entry = series.begin(); entry != series.end(); ++entry) {
    if (!entry.value().is_array()) continue;
    const std::string metric = prefix + entry.key();
    std::int64_t at = 0;
    for (const Json& value : entry.value()) {
      if (value.is_number())
        text += run + cell(metric) + "," + std::to_string(at) + "," + value.dump() + "," +
                std::string(unit_of(metric)) + "\n";
      at += interval;
    }
  }
}

}  // namespace

std::string export_csv(const Json& runs) {
  std::string text = "variant,repetition,metric,value,unit\n";
  for (const Json& run : runs) {
    const std::string cells = run_cells(run);
    for (const char* part : {"phase_ns", "rates", "latency", "fairness", "ledger", "network", "pipeline",
                             "makespan_ns", "broker"}) {
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
    add_points(cells, "", series, series, text);
    if (!series.contains("broker")) continue;
    const Json& broker = series.at("broker");
    add_points(cells, "broker.", broker, broker, text);
    for (const char* part : {"nodes", "queues"}) {
      const Json things = broker.value(part, Json::array());
      for (const Json& thing : things)
        add_points(cells, "broker." + std::string(part) + "." + thing.at("name").get<std::string>() + ".",
                   thing, broker, text);
    }
  }
  return text;
}

}  // namespace brokerlab
