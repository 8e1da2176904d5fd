#include "experiments/partition_fault.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/random.h"
#include "experiments/node_orders.h"

namespace brokerlab {
namespace {

class Partition final : public FaultEffect {
 public:
  Partition(const PlannedFault& fault, FaultTargets& targets)
      : broker_(broker_of(targets)),
        links_(links_cut(fault.settings.value("shape", "halves"), broker_.nodes().size(),
                         fault.seed + static_cast<std::uint64_t>(fault.strike))),
        orders_(broker_.control()) {}

  void begin() override {
    // One end of a link is enough: it neither accepts the other's word nor gives the right one.
    for (const auto& [node, peer] : links_) {
      orders_.tell(
          node,
          fmt::format("erlang:set_cookie('{0}', brokerlab_cut), erlang:disconnect_node('{0}').", name(peer)));
    }
    cut_ = true;
  }
  bool in_force() override { return orders_.answered(); }

  void end() override {
    if (!std::exchange(cut_, false)) return;
    orders_.clear();
    for (const auto& [node, peer] : links_) {
      orders_.tell(
          node, fmt::format("erlang:set_cookie('{0}', erlang:get_cookie()), net_kernel:connect_node('{0}').",
                            name(peer)));
    }
    mending_ = true;
  }

  // Everybody answers and sees everybody else with a running RabbitMQ: a minority that had paused needs its
  // time.
  bool settled() override {
    if (!mending_) return true;
    if (!orders_.answered()) return false;
    const bool whole =
        asked_ && std::all_of(orders_.answers().begin(), orders_.answers().end(), [this](const auto& others) {
          return others == std::to_string(broker_.nodes().size() - 1);
        });
    if (whole) {
      mending_ = false;
      for (std::size_t node = 0; node < broker_.nodes().size(); ++node) mending_ |= !broker_.accepting(node);
      if (!mending_) return true;
    }
    orders_.clear();
    for (std::size_t node = 0; node < broker_.nodes().size(); ++node) {
      orders_.tell(node, "length([Node || Node <- nodes(), rabbit:is_running(Node)]).");
    }
    asked_ = true;
    return false;
  }

  Json details() const override {
    Json cut = Json::array();
    for (const auto& [node, peer] : links_) cut.push_back(Json::array({name(node), name(peer)}));
    return {{"cut", std::move(cut)}};
  }

 private:
  static PrivateBroker& broker_of(FaultTargets& targets) {
    PrivateBroker* broker = targets.private_broker();
    if (broker == nullptr) throw Error("the broker is not ours to break", "", "leave out --broker");
    if (broker->nodes().size() < 2)
      throw Error("a partition needs a broker of several nodes", "", "--nodes 3");
    return *broker;
  }
  const std::string& name(std::size_t node) const { return broker_.nodes().at(node).name; }

  PrivateBroker& broker_;
  const std::vector<std::pair<std::size_t, std::size_t>> links_;
  NodeOrders orders_;
  bool cut_ = false;
  bool mending_ = false;
  bool asked_ = false;  // whom they see
};

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> links_cut(const std::string& shape, std::size_t nodes,
                                                           std::uint64_t seed) {
  const std::size_t alone = Random(seed, "partition", 0).below(nodes);
  const auto cut = [&](std::size_t a, std::size_t b) {
    if (shape == "halves") return (a < nodes / 2) != (b < nodes / 2);
    if (shape == "random-node") return a == alone || b == alone;
    // A majority are nodes / 2 others: the neighbours on both sides of the ring, of an even number one more
    // on none.
    const std::size_t distance = std::min(b - a, nodes - (b - a));
    return nodes > 3 ? distance > (nodes / 2 + 1) / 2 : a == 0 && b == nodes - 1;
  };
  std::vector<std::pair<std::size_t, std::size_t>> links;
  for (std::size_t a = 0; a < nodes; ++a) {
    for (std::size_t b = a + 1; b < nodes; ++b) {
      if (cut(a, b)) links.emplace_back(a, b);
    }
  }
  return links;
}

std::unique_ptr<FaultEffect> make_partition_fault(const PlannedFault& fault, FaultTargets& targets) {
  if (fault.kind != "partition") return nullptr;
  return std::make_unique<Partition>(fault, targets);
}

}  // namespace brokerlab
