#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/private_broker.h"
#include "core/clock.h"
#include "experiments/broker_source.h"

namespace brokerlab {

// The nodes of a private broker: CPU and memory of their processes as the kernel has them, the rest as they
// evaluate it themselves. Exact at the instant of each sample, except where a sample says how late it is.
class NodeSource final : public BrokerSource {
 public:
  // `queues`: of the run, in the vhost.
  NodeSource(PrivateBroker& broker, std::string vhost, std::vector<std::string> queues, const Clock& clock);

  void ask(std::int64_t round) override;
  std::vector<BrokerSample> take() override;
  bool waiting() const override;
  std::map<std::string, std::string> given_up() const override { return given_up_; }
  std::vector<BrokerSample> last_look() override;

 private:
  struct Asked {
    NodeControl::Ticket ticket;
    std::int64_t round;
    Nanoseconds at_ns;
  };

  BrokerSample process_sample(std::size_t node, std::int64_t round);
  void ask_node(std::size_t node, std::int64_t round);
  BrokerSample failure(std::size_t node, std::int64_t round, std::string why) const;

  PrivateBroker& broker_;
  const std::string vhost_;
  const std::vector<std::string> queues_;
  const std::string question_;
  const Clock& clock_;
  NodeControl* control_ = nullptr;           // null: it cannot be had
  std::vector<std::optional<Asked>> asked_;  // by node
  std::vector<BrokerSample> ready_;          // not taken yet
  std::map<std::string, std::string> given_up_;
};

}  // namespace brokerlab
