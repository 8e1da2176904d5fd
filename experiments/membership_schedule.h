#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "broker/topology.h"
#include "core/clock.h"
#include "core/json.h"
#include "experiments/background_work.h"

namespace brokerlab {

// Makes and removes the bindings that come or go during a run: a worker joins or leaves an exchange. One
// change after the other, off the loop; where a node does not answer the next one is asked, and where none
// does the change is made as soon as one does. Controller, one thread.
class MembershipSchedule {
 public:
  // `topology` under the names that the broker knows; `uris` are those of every node. Connects only when
  // something is to change; throws Error when it cannot.
  MembershipSchedule(const Topology& topology, const std::vector<std::string>& uris, bool tls_insecure,
                     uv_loop_t* loop, const Clock& clock);

  void start(Nanoseconds t0_ns) { t0_ns_ = t0_ns; }
  // Begins what is due and takes in what is done. Returns what could not be done, for a notice; "" when all
  // is well.
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
  class Line;  // to the broker

  void begin(const Change& change);
  std::string take_in(const Change& change, Nanoseconds now_ns);
  void note(const Change& change, Nanoseconds at_ns);

  Topology topology_;
  std::shared_ptr<Line> line_;  // the work may outlive this object
  BackgroundWork work_;
  std::vector<Change> changes_;       // by time
  std::vector<std::size_t> present_;  // bindings there are now, in the order in which they were made
  std::size_t next_ = 0;              // of the changes, also while it is being made
  bool under_way_ = false;
  bool told_ = false;           // that the next one cannot be made yet
  Nanoseconds not_before_ = 0;  // the next try
  Nanoseconds t0_ns_ = 0;
  Json report_ = Json::array();
};

}  // namespace brokerlab
