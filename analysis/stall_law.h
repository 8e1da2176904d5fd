#pragma once

#include <algorithm>

namespace brokerlab {

// What a stall of S in a load of T must do to latencies (measurement of an open loop): a message that comes x
// after the stall began waits S - x (1 - rho), so affected latencies are uniform on (0, S]. All times in one
// unit. `rho`: arrival rate over the rate at which the backlog drains, below 1; `usual`: latency without the
// stall.
struct StallLaw {
  double stall, load, rho, usual;

  double affected_share() const { return stall / ((1 - rho) * load); }
  double mean() const { return usual + affected_share() * stall / 2; }
  double quantile(double q) const {
    return 1 - q < affected_share() ? std::max(usual, stall * (1 - (1 - q) / affected_share())) : usual;
  }
  double longest() const { return stall; }
};

}  // namespace brokerlab
