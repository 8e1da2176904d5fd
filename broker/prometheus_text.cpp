#include "broker/prometheus_text.h"

#include <cmath>
#include <cstdlib>

namespace brokerlab {
namespace {

// The index of the bracket that ends the labels beginning at `open`; label values are quoted and may hold
// anything.
std::size_t end_of_labels(std::string_view line, std::size_t open) {
  bool quoted = false;
  for (std::size_t i = open + 1; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && line[i] == '}') {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

PrometheusText PrometheusText::parse(std::string_view text) {
  PrometheusText parsed;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    const auto name_end = line.find_first_of("{ ");
    if (name_end == std::string_view::npos) continue;
    std::size_t rest = name_end;
    std::string_view labels;
    if (line[name_end] == '{') {
      const auto close = end_of_labels(line, name_end);
      if (close == std::string_view::npos) continue;
      labels = line.substr(name_end + 1, close - name_end - 1);
      rest = close + 1;
    }
    const std::string number(line.substr(rest));
    char* after = nullptr;
    const double value = std::strtod(number.c_str(), &after);
    if (after == number.c_str() || !std::isfinite(value)) continue;
    Metric& metric = parsed.metrics_[std::string(line.substr(0, name_end))];
    metric.sum += value;
    metric.labels = labels;
  }
  return parsed;
}

std::optional<double> PrometheusText::value(const std::string& metric) const {
  const auto found = metrics_.find(metric);
  return found == metrics_.end() ? std::nullopt : std::optional(found->second.sum);
}

std::string PrometheusText::label(const std::string& metric, const std::string& name) const {
  const auto found = metrics_.find(metric);
  if (found == metrics_.end()) return "";
  const std::string wanted = name + "=\"";
  const std::string& labels = found->second.labels;
  const auto at = labels.find(wanted);
  if (at == std::string::npos) return "";
  const auto from = at + wanted.size();
  return labels.substr(from, labels.find('"', from) - from);
}

}  // namespace brokerlab
