#include "experiments/broker_fault.h"

#include <algorithm>

#include "core/error.h"

namespace brokerlab {
namespace {

class NodeFault : public FaultEffect {
 public:
  NodeFault(const PlannedFault& fault, FaultTargets& targets)
      : nodes_(nodes_hit(fault, targets)), broker_(*targets.private_broker()) {}

  Json details() const override {
    Json names = Json::array();
    for (const std::size_t node : nodes_) names.push_back(broker_.nodes().at(node).name);
    return {{"nodes", std::move(names)}};
  }

 protected:
  const std::vector<std::size_t> nodes_;
  PrivateBroker& broker_;
};

// SIGKILL or SIGTERM; a new node on the same folder and ports comes after it, at the end of the run at the
// latest.
class NodeEndFault final : public NodeFault {
 public:
  NodeEndFault(const PlannedFault& fault, FaultTargets& targets)
      : NodeFault(fault, targets), orderly_(fault.kind == "stop") {}

  void begin() override {
    for (const std::size_t node : nodes_) {
      if (orderly_) {
        broker_.terminate(node);
      } else {
        broker_.kill(node);
      }
      ended_.push_back(node);
    }
  }
  void end() override { restarting_ = true; }

  bool settled() override {
    if (!restarting_) return ended_.empty();
    // An orderly shutdown takes seconds, and so does the boot.
    std::erase_if(ended_, [this](std::size_t node) {
      if (broker_.running(node)) return false;
      broker_.restart(node);
      booting_.push_back(node);
      return true;
    });
    std::erase_if(booting_, [this](std::size_t node) { return broker_.accepting(node); });
    return ended_.empty() && booting_.empty();
  }

 private:
  const bool orderly_;
  bool restarting_ = false;
  std::vector<std::size_t> ended_, booting_;
};

class NodePause final : public NodeFault {
 public:
  using NodeFault::NodeFault;

  void begin() override {
    for (const std::size_t node : nodes_) {
      broker_.pause(node);
      paused_.push_back(node);
    }
  }
  void end() override {
    for (const std::size_t node : std::exchange(paused_, {})) broker_.resume(node);
  }

 private:
  std::vector<std::size_t> paused_;
};

}  // namespace

std::vector<std::size_t> nodes_hit(const PlannedFault& fault, FaultTargets& targets) {
  PrivateBroker* broker = targets.private_broker();
  if (broker == nullptr) throw Error("the broker is not ours to break", "", "leave out --broker");
  const std::size_t nodes = broker->nodes().size();
  std::vector<std::size_t> hit;
  for (std::size_t node = 0; node < nodes; ++node) {
    if (fault.mode == "all" || node == static_cast<std::size_t>(fault.instance)) hit.push_back(node);
  }
  if (hit.empty()) {
    throw Error("the broker has no node " + std::to_string(fault.instance), "",
                "it has " + std::to_string(nodes) + ", counted from 0");
  }
  return hit;
}

std::unique_ptr<FaultEffect> make_broker_fault(const PlannedFault& fault, FaultTargets& targets) {
  if (fault.target != "broker") return nullptr;
  if (fault.kind == "kill" || fault.kind == "stop") return std::make_unique<NodeEndFault>(fault, targets);
  if (fault.kind == "pause") return std::make_unique<NodePause>(fault, targets);
  return nullptr;
}

}  // namespace brokerlab
