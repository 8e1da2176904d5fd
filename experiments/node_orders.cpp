#include "experiments/node_orders.h"

namespace brokerlab {

void NodeOrders::clear() {
  open_.clear();
  answers_.clear();
}

void NodeOrders::tell(std::size_t node, const std::string& expression) {
  open_.push_back(control_.ask(node, expression));
}

bool NodeOrders::answered() {
  while (answers_.size() < open_.size()) {
    auto answer = control_.answer(open_[answers_.size()]);
    if (!answer) return false;
    answers_.push_back(std::move(*answer));
  }
  return true;
}

}  // namespace brokerlab
