#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "roles/behaviour.h"
#include "roles/customers.h"

namespace brokerlab {

// A worker of the shopping system: keeps which products are picked up, tells each event to its customer, and
// bills a purchase. An event of a product that no customer has is turned down.
// Settings: `customers`, the database's file. Outputs: `customers` (keys <customer id>.shopping and
// <customer id>.billing) and `billing`.
class ShoppingWorker final : public Behaviour {
 public:
  explicit ShoppingWorker(const BehaviourSetting& setting);

  // Unreadable: no JSON object with entry_type "pick up" or "purchase", a text product_number and a number
  // timestamp.
  Reaction receive(std::string_view body, std::string_view routing_key) override;
  std::vector<Outgoing> finish(const Reaction& reaction, std::string_view body) override;
  std::string remark() const override { return remark_; }

  // product_number -> timestamp of its pick up; removed at its purchase.
  const std::unordered_map<std::string, Json>& shopping_state() const { return shopping_state_; }
  std::size_t events() const { return events_.size(); }

 private:
  struct Event {
    bool purchase;
    std::string product;
    double timestamp;
  };

  std::shared_ptr<const Customers> customers_;
  std::size_t customer_output_;
  std::size_t billing_output_;
  std::unordered_map<std::string, Json> shopping_state_;
  std::vector<Event> events_;  // all that were received of known products
  std::string remark_;
};

}  // namespace brokerlab
