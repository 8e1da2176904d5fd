#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "broker/node_control.h"

namespace brokerlab {

// What nodes of the private broker have been told together, and what they answered.
class NodeOrders {
 public:
  explicit NodeOrders(NodeControl& control) : control_(control) {}

  // Forgets what was told before.
  void clear();
  void tell(std::size_t node, const std::string& expression);
  // All have answered; also when nobody was told anything. Throws Error when a node refused.
  bool answered();
  const std::vector<std::string>& answers() const { return answers_; }  // in the order of tell()

 private:
  NodeControl& control_;
  std::vector<NodeControl::Ticket> open_;  // the first answers_.size() of those told are answered
  std::vector<std::string> answers_;
};

}  // namespace brokerlab
