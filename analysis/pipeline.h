#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "analysis/accounting.h"
#include "core/histogram.h"

namespace brokerlab {

// Messages that a role published on and that came back to it, by itself or through others.
struct FeedbackLoop {
  std::string role, exchange, routing_key;  // where it can be cut: who publishes into the loop, and how
  std::vector<std::string> roles;           // all that the loop leads through
  std::int64_t deliveries = 0;              // acted upon within the loop
  std::int64_t hops_max = 0;
};

// "demonstrator, which publishes to exchange e with key k (through …; 12 deliveries, 16 hops deep)".
std::string to_text(const FeedbackLoop& loop);

// What became of submissions that pass through several roles: how many were completed, at the role that
// declares `completes`, and what that cost. Definitions in docs/metrics.md, "Pipeline". Eight bytes per
// submission that was completed or could have been.
class PipelineAccount {
 public:
  PipelineAccount(const RecordedRun& run, const RunAccounts& accounts);

  // Whether there is a pipeline: a role published on, or one completes.
  bool any() const { return published_on_ || completes_; }
  const std::vector<FeedbackLoop>& loops() const { return loops_; }
  // From the origin's intended time to the first end of its work at the completing role; null without any.
  const Histogram* completion() const { return completion_.get(); }
  // `network`: of the same run.
  Json to_json(const Json& network) const;

 private:
  struct Edge {
    std::uint32_t publisher;
    std::uint8_t route;
    std::uint32_t to;  // role
    std::int64_t deliveries = 0, hops_min = INT64_MAX, hops_max = 0;
  };
  struct NamedEdge {
    std::uint32_t from, to;
    std::string exchange, routing_key;
    std::int64_t deliveries, hops_min, hops_max;
  };

  void add(std::uint32_t consumer, const DeliveryRecord& record, const DeliveryDetail* detail);
  void complete(const DeliveryRecord& record, const DeliveryDetail* detail);
  void pass_on(std::uint32_t role, const DeliveryRecord& record);
  void count_completed();
  std::vector<NamedEdge> named_edges() const;
  void find_loops();

  const RecordedRun& run_;
  const RunAccounts& accounts_;
  bool completes_ = false;
  bool published_on_ = false;
  std::int64_t completed_ = 0, hop_limited_ = 0;
  std::unique_ptr<Histogram> completion_;
  std::map<std::uint32_t, std::vector<Nanoseconds>> first_done_;  // by publisher and sequence of the origin
  std::unordered_map<std::uint64_t, Edge> edges_;                 // by (publisher, route, role)
  std::vector<FeedbackLoop> loops_;
};

}  // namespace brokerlab
