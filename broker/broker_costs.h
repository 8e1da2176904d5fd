#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/distribution.h"
#include "core/json.h"

namespace brokerlab {

// How long one step of a message takes in a simulation: always the same, or drawn. A plain value.
class StepCost {
 public:
  StepCost(Nanoseconds always = 0) : always_ns_(always) {}  // NOLINT: a time is a cost
  // `held_ns`: one draw holds for so long, for all messages alike; 0: each message draws anew. What was
  // measured is held, because what makes a message late, a busy host above all, makes its neighbours late.
  StepCost(std::shared_ptr<const Distribution> seconds, Nanoseconds held_ns)
      : seconds_(std::move(seconds)), held_ns_(held_ns) {}

  bool constant() const { return seconds_ == nullptr; }
  bool free() const { return constant() && always_ns_ == 0; }
  double mean_ns() const { return seconds_ ? seconds_->mean() * 1e9 : static_cast<double>(always_ns_); }

 private:
  friend class StepClock;
  Nanoseconds always_ns_ = 0;
  std::shared_ptr<const Distribution> seconds_;
  Nanoseconds held_ns_ = 0;
};

// Draws the costs of one kind of step. One thread.
class StepClock {
 public:
  // `host`: held draws of the same host are equally lucky, whatever the step.
  StepClock(StepCost cost, std::uint64_t seed, const std::string& step, const std::string& host)
      : cost_(std::move(cost)),
        seed_(seed),
        host_("simulated " + host),
        random_(seed, "simulated " + step, 0) {}

  Nanoseconds draw(Nanoseconds now);

 private:
  StepCost cost_;
  std::uint64_t seed_;
  std::string host_;
  Random random_;
  Nanoseconds held_since_ = -1;  // in multiples of held_ns
  Nanoseconds held_value_ = 0;
  std::uint64_t drawn_ = 0;
};

// What each step of a message costs; nothing by default: a broker as fast as thought, where only queueing
// takes time.
struct BrokerCosts {
  StepCost send;           // how late a publisher is
  StepCost publish;        // from the publisher to the broker
  StepCost confirm;        // from the broker's decision back to the publisher
  StepCost deliver;        // from the queue to the consumer
  StepCost ack;            // from the consumer to the broker
  StepCost overshoot;      // by which an effort takes longer than it was meant to
  Nanoseconds route = 0;   // the broker does one publish at a time, each takes so long: its capacity
  double per_byte_ns = 0;  // of the body, on top of `route`

  // The costs of a calibration file (docs/simulation.md), and over them those that the experiment declares in
  // broker.costs. Either may be null. What costs nothing takes 1 ns, because a histogram has no place for
  // less. Throws Error (kUsage) naming the key.
  static BrokerCosts from_json(const Json& calibration, const Json& declared);
};

}  // namespace brokerlab
