#include "roles/customer_app.h"

namespace brokerlab {

Reaction CustomerApp::receive(std::string_view body, std::string_view routing_key) {
  Reaction reaction;
  reaction.body = parse_message(body);
  billing_ = routing_key.ends_with(".billing");
  const bool known = billing_ || routing_key.ends_with(".shopping");
  if (reaction.body.is_null() || !known) reaction.verdict = Reaction::Verdict::kUnreadable;
  return reaction;
}

std::vector<Outgoing> CustomerApp::finish(const Reaction&, std::string_view body) {
  (billing_ ? billing_events_ : shopping_events_).emplace_back(body);
  return {};
}

std::string CustomerApp::remark() const {
  return std::to_string(shopping_events_.size()) + " shopping and " + std::to_string(billing_events_.size()) +
         " billing events so far";
}

}  // namespace brokerlab
