#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// How evenly something was shared out. Definitions in docs/metrics.md.
struct FairnessIndices {
  double jain = 0;                      // (sum x)^2 / (n sum x^2): 1 is even, 1/n is one takes all
  double gini = 0;                      // 0 is even
  double cv = 0;                        // population standard deviation / mean
  std::optional<double> max_min_ratio;  // nothing when somebody got nothing

  // Nothing for fewer than two shares, or when nothing was shared at all: evenness means nothing there.
  static std::optional<FairnessIndices> of(std::span<const double> shares);
  Json to_json() const;
};

// What one consumer got.
struct ConsumerShare {
  std::string role;
  std::uint32_t instance = 0;
  std::string name;
  std::string queue;
  bool alive = true;  // present for the whole run; only these are compared
  std::int64_t received = 0;
  std::int64_t messages = 0;  // finished
  std::int64_t bytes = 0;     // of the finished
  Nanoseconds busy_ns = 0;
  std::optional<Nanoseconds> present_ns;  // how long it could have worked; idle is the rest
};

// {by_messages, by_bytes, by_busy_time, by_role, by_queue, consumers[]}. Compared are consumers of one role,
// and consumers of one queue, those that never got anything included. The figures at the top are those of the
// only role with more than one consumer; with several such roles they are absent, as there is no fairness
// between unlike jobs.
Json fairness_json(const std::vector<ConsumerShare>& consumers);

}  // namespace brokerlab
