#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "amqp/session.h"
#include "broker/topology.h"
#include "core/json.h"
#include "experiments/plan.h"

namespace brokerlab {

// Asks the broker how many messages are ready in the queues of a run. Blocking, bounded by 2 s an answer; for
// the controller while nobody is being measured.
class QueueProbe {
 public:
  struct Depth {
    Queue queue;
    bool consumed = false;                // some role of the run consumes from it
    std::optional<std::uint32_t> ready;   // nothing when the queue or the broker is gone
    std::optional<std::int64_t> unacked;  // look() cannot tell
    // Where its dead letters go; nothing when the topology does not tell.
    std::optional<std::vector<std::string>> dead_letter_queues;
  };

  // `plan` has been through with_prefix(); `prefix` is for its topology.
  QueueProbe(const PlannedRun& plan, std::vector<std::string> broker_uris, const std::string& prefix,
             bool tls_insecure);

  // One entry per queue of the topology, nobody asked.
  std::vector<Depth> queues() const;
  // One entry per queue of the topology. Never throws: a broker that does not answer
  // leaves `ready` empty.
  std::vector<Depth> look();
  // It is deleted on purpose: once it is gone, nothing is left in it.
  void expect_deletion(const std::string& queue) { deleted_.insert(queue); }
  // Some role consumes from a queue that is to stay.
  bool any_to_drain() const;
  // Why the last look() failed; empty when it did not.
  const std::string& trouble() const { return trouble_; }

 private:
  std::vector<std::optional<amqp::QueueStatus>> ask(const std::vector<std::string>& names);

  std::vector<std::string> uris_;  // of every node; the first is asked until it fails
  bool tls_insecure_;
  std::vector<Queue> queues_;  // under the names the broker knows
  std::set<std::string> consumed_;
  std::set<std::string> deleted_;
  std::map<std::string, std::optional<std::vector<std::string>>> dead_letter_queues_;
  std::unique_ptr<amqp::Session> session_;
  std::string trouble_;
};

// All consumed queues are known to be empty.
bool empty(const std::vector<QueueProbe::Depth>& depths);

// As the evidence says it: [{"name", "durable", "arguments", "consumed", "ready_at_start", "ready_at_end",
// "unacked_at_end", "dead_letter_queues" (null: not known)}]. Both from the same probe.
Json to_json(const std::vector<QueueProbe::Depth>& before, const std::vector<QueueProbe::Depth>& after);

}  // namespace brokerlab
