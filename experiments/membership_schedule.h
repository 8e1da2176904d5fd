#pragma once

#include <memory>
#include <string>
#include <vector>

#include "amqp/session.h"
#include "broker/topology.h"
#include "core/clock.h"
#include "core/json.h"

namespace brokerlab {

// Makes and removes the bindings that come or go during a run: a worker joins or leaves an exchange. Each
// change is one short blocking call to the broker, made from tick(). Controller, one thread.
class MembershipSchedule {
 public:
  // `topology` under the names that the broker knows. Connects only when something is to change; throws
  // Error when it cannot.
  MembershipSchedule(const Topology& topology, const std::string& uri, bool tls_insecure, const Clock& clock);

  void start(Nanoseconds t0_ns) { t0_ns_ = t0_ns; }
  // Does what is due. Returns what could not be done, for a notice; "" when all is well.
  std::string tick(Nanoseconds now_ns);
  bool over() const { return next_ == changes_.size(); }

  // [{"exchange", "queue", "change": "join" or "leave", "scheduled_at_ns" (from the start of the load),
  // "at_ns" (an instant of CLOCK_MONOTONIC), "members_before": [queues in bind order]}] of what was done.
  const Json& report() const { return report_; }

 private:
  struct Change {
    Nanoseconds at_ns = 0;  // from the start of the load
    std::size_t binding = 0;
    bool join = true;
  };

  void make(const Change& change);

  Topology topology_;
  const Clock& clock_;
  std::unique_ptr<amqp::Session> session_;
  std::vector<Change> changes_;       // by time
  std::vector<std::size_t> present_;  // bindings there are now, in the order in which they were made
  std::size_t next_ = 0;
  Nanoseconds t0_ns_ = 0;
  Json report_ = Json::array();
};

}  // namespace brokerlab
