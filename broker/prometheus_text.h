#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace brokerlab {

// What a Prometheus endpoint answers (text exposition format 0.0.4): the sum of each metric over its labels,
// and the labels of the metrics that carry nothing else. Pure. Lines that are no samples are passed over.
class PrometheusText {
 public:
  static PrometheusText parse(std::string_view text);

  // Nothing where the metric is missing or not a number.
  std::optional<double> value(const std::string& metric) const;
  // Of the metric's last sample, e.g. rabbitmq_node of rabbitmq_identity_info; empty where there is none.
  std::string label(const std::string& metric, const std::string& name) const;

 private:
  struct Metric {
    double sum = 0;
    std::string labels;  // as written, of the last sample
  };
  std::map<std::string, Metric, std::less<>> metrics_;
};

}  // namespace brokerlab
