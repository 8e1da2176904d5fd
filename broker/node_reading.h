#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "broker/broker_sample.h"

namespace brokerlab {

// What a RabbitMQ node of ours is asked to evaluate (broker/node_control.h) to tell about itself, and how its
// answer is read. Queue processes themselves say what is in them and the replicated ones are asked at their
// leader, so that depths are exact at an instant that the node stamps with our clock; statistics, as the
// management API has them, lag by five seconds. Pure.
class NodeReading {
 public:
  // Beyond so many queues, or connections or channels, they are not asked one by one: the sums are taken from
  // the node's statistics, and the sample says how old they may be.
  static constexpr std::size_t kMostAsked = 100;
  static constexpr std::size_t kMostProcesses = 1000;

  // Of the queues that are on the node that answers. `queues` are names; more than kMostAsked: only the sums
  // of all queues of the vhost.
  static std::string question(const std::string& vhost, const std::vector<std::string>& queues);
  // A sample with everything but round and node. `asked_ns` and `answered_ns` bound its instant where the
  // node's own stamp is of another clock. Throws Error when the answer is no answer to this question.
  static BrokerSample sample(const std::string& answer, Nanoseconds asked_ns, Nanoseconds answered_ns);
};

}  // namespace brokerlab
