#pragma once

#include <string>
#include <vector>

#include "core/json.h"

namespace brokerlab {

// How far a simulation was from what was measured afterwards: deliveries per second within 5 %, the mean of
// the end-to-end latency within 15 %, its 99th percentile within 25 %. Medians over the repetitions of each
// variant. A plain value.
class PredictionCheck {
 public:
  struct Figure {
    std::string variant, name;
    double predicted = 0, measured = 0;
    double tolerance = 0;
    double error() const { return predicted / measured - 1; }
    bool ok() const { return error() <= tolerance && error() >= -tolerance; }
  };

  explicit PredictionCheck(std::vector<Figure> figures, std::string experiment)
      : figures_(std::move(figures)), experiment_(std::move(experiment)) {}

  const std::vector<Figure>& figures() const { return figures_; }
  bool ok() const;
  // A table, and the verdict in a sentence.
  std::string text() const;
  // {ok, experiment, figures[{variant, figure, predicted, measured, error, tolerance, ok}]}.
  Json to_json() const;

 private:
  std::vector<Figure> figures_;
  std::string experiment_;
};

// Throws Error (kUsage) when `predicted` is no simulation or was not there before the measurement began, when
// `measured` is one, or when they are of different experiments; Error when nothing can be compared.
PredictionCheck check_prediction(const Json& predicted, const Json& measured);

}  // namespace brokerlab
