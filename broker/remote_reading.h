#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/broker_sample.h"
#include "broker/management.h"
#include "core/clock.h"

namespace brokerlab {

// What a broker that is not ours tells about itself over HTTP: queues, nodes and states of connections by the
// management API; CPU and resident memory by the Prometheus plugin, where it listens at its port on the
// broker's hosts. All of it are statistics that may be some seconds old, and each sample says so. Calls
// block; one thread at a time.
class RemoteReading {
 public:
  struct Target {
    std::string vhost;
    std::vector<std::string> queues;  // names, of the run; beyond kMostQueues only their sum is asked for
    bool own_vhost = false;           // nobody else has queues there
    std::vector<std::string> hosts;   // one of each node
  };
  // With as many queues each a list of them would be megabytes.
  static constexpr std::size_t kMostQueues = 1000;
  static constexpr std::size_t kMostStates = 500;
  // How old statistics are at most: RabbitMQ's collect_statistics_interval.
  static constexpr Nanoseconds kLag = 5 * kNanosecondsPerSecond;

  // `management`: null where the API cannot be used; only of the Prometheus plugin is heard then.
  RemoteReading(std::unique_ptr<Management> management, Target target, const Clock& clock);

  // Whatever the sources tell at this time. A source that has told something before and fails now leaves a
  // sample that says why; one that fails the first time is given up.
  std::vector<BrokerSample> read(std::int64_t round);
  // What will not be heard of, and why: "cpu" -> "no Prometheus plugin at host:15692".
  const std::map<std::string, std::string>& given_up() const { return given_up_; }

  // How the answers are read. Nodes give one sample each, states are counted by node.
  static BrokerSample queues_from(const Json& answer, const std::vector<std::string>& names);
  static std::vector<BrokerSample> nodes_from(const Json& answer);
  static void add_states(const Json& connections, const Json& channels, std::vector<BrokerSample>& nodes);
  static BrokerSample process_from(const std::string& metrics);

 private:
  struct Question {
    std::string figures;  // what it is about
    std::string source;
    Nanoseconds lag_ns;
  };
  void hear(const Question& question, std::int64_t round,
            const std::function<std::vector<BrokerSample>()>& read, std::vector<BrokerSample>& samples);
  BrokerSample queues();
  std::vector<BrokerSample> nodes();
  BrokerSample process(const std::string& host);

  std::unique_ptr<Management> management_;
  const Target target_;
  const Clock& clock_;
  std::map<std::string, std::string> given_up_;
  std::set<std::string> heard_of_;
};

}  // namespace brokerlab
