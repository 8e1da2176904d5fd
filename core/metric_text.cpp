#include "core/metric_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace brokerlab {
namespace {

std::string_view to_text(MetricText::Type type) {
  switch (type) {
    case MetricText::Type::kCounter:
      return "counter";
    case MetricText::Type::kHistogram:
      return "histogram";
    case MetricText::Type::kSummary:
      return "summary";
    case MetricText::Type::kGauge:
      break;
  }
  return "gauge";
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\n') {
      safe += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe;
}

}  // namespace

MetricText::MetricText(MetricFormat format, MetricLabels common)
    : format_(format), common_(std::move(common)) {}

void MetricText::family(std::string_view name, Type type, std::string_view unit, std::string_view help) {
  const bool open = format_ == MetricFormat::kOpenMetrics;
  name_ = name;
  type_ = type;
  // The older format knows the samples' name alone.
  const std::string shown = name_ + (type == Type::kCounter && !open ? "_total" : "");
  head_ = fmt::format("# TYPE {} {}\n", shown, to_text(type));
  if (open && !unit.empty()) head_ += fmt::format("# UNIT {} {}\n", shown, unit);
  head_ += fmt::format("# HELP {} {}\n", shown, help);
}

void MetricText::sample(std::string_view suffix, const MetricLabels& labels, double value) {
  text_ += std::exchange(head_, {});
  text_ += name_;
  text_ += type_ == Type::kCounter ? "_total" : suffix;
  if (!common_.empty() || !labels.empty()) {
    text_ += '{';
    add(common_, "");
    add(labels, common_.empty() ? "" : ",");
    text_ += '}';
  }
  text_ += fmt::format(" {}\n", value);
}

std::string MetricText::finish() && {
  return std::move(text_) + (format_ == MetricFormat::kOpenMetrics ? "# EOF\n" : "");
}

bool MetricText::label_allowed(std::string_view name) {
  const auto fits = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !name.empty() && !name.starts_with("__") &&
         std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

void MetricText::add(const MetricLabels& labels, const char* before) {
  for (const auto& [name, value] : labels) {
    text_ += fmt::format("{}{}=\"{}\"", before, name, escaped(value));
    before = ",";
  }
}

}  // namespace brokerlab
