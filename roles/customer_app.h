#pragma once

#include <string>
#include <vector>

#include "roles/behaviour.h"

namespace brokerlab {

// The app of one customer of the shopping system: keeps shopping and billing events, each in order of
// arrival. Which of the two an event is, its routing key tells: <customer id>.shopping or
// <customer id>.billing.
class CustomerApp final : public Behaviour {
 public:
  explicit CustomerApp(const BehaviourSetting&) {}

  Reaction receive(std::string_view body, std::string_view routing_key) override;
  std::vector<Outgoing> finish(const Reaction& reaction, std::string_view body) override;
  std::string remark() const override;

  const std::vector<std::string>& shopping_events() const { return shopping_events_; }
  const std::vector<std::string>& billing_events() const { return billing_events_; }

 private:
  bool billing_ = false;  // the message in hand
  std::vector<std::string> shopping_events_, billing_events_;
};

}  // namespace brokerlab
