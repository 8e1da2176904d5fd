#include "roles/shopping_worker.h"

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr char kPickUp[] = "pick up";
constexpr char kPurchase[] = "purchase";

bool is_event(const Json& message) {
  if (message.is_null()) return false;
  const Json type = message.value("entry_type", Json());
  const Json product = message.value("product_number", Json());
  return (type == kPickUp || type == kPurchase) && product.is_string() &&
         message.value("timestamp", Json()).is_number();
}

// Printed by hand, because a JSON library prints 31.9 where a bill says 31.90.
std::string billing_event(const std::string& customer, const Json& purchase, const Json& pick_up_time,
                          const Money& cost) {
  const Json rest = {{"customer_id", customer},
                     {"product_number", purchase["product_number"]},
                     {"pick_up_time", pick_up_time},
                     {"purchase_time", purchase["timestamp"]}};
  std::string text = print_message(rest);
  text.pop_back();
  return text + ",\"shopping_cost\":" + cost.to_text() + "}";
}

std::shared_ptr<const Customers> read_customers(const BehaviourSetting& setting) {
  const Json& file = setting.spec.settings.value("customers", Json());
  if (!file.is_string()) {
    throw Error("a shopping worker needs its customers database", "role " + setting.spec.role,
                R"("settings": {"customers": "FILE"}, relative to the experiment or role file)",
                ExitStatus::kUsage);
  }
  return std::make_shared<const Customers>(Customers::read(setting.directory / file.get<std::string>()));
}

}  // namespace

ShoppingWorker::ShoppingWorker(const BehaviourSetting& setting)
    : customers_(read_customers(setting)),
      customer_output_(setting.spec.output("customers")),
      billing_output_(setting.spec.output("billing")) {}

Reaction ShoppingWorker::receive(std::string_view body, std::string_view) {
  Reaction reaction;
  reaction.body = parse_message(body);
  remark_.clear();
  if (!is_event(reaction.body)) {
    reaction.verdict = Reaction::Verdict::kUnreadable;
  } else if (customers_->find(reaction.body["product_number"]) == nullptr) {
    reaction.verdict = Reaction::Verdict::kReject;
    remark_ = "no customer has product " + reaction.body["product_number"].get<std::string>();
  }
  return reaction;
}

std::vector<Outgoing> ShoppingWorker::finish(const Reaction& reaction, std::string_view body) {
  const Json& event = reaction.body;
  const std::string product = event["product_number"];
  const bool purchase = event["entry_type"] == kPurchase;
  const CustomerProduct& known = *customers_->find(product);
  events_.push_back({purchase, product, event["timestamp"].get<double>()});
  std::vector<Outgoing> messages = {{customer_output_, known.customer + ".shopping", std::string(body)}};
  if (!purchase) {
    shopping_state_[product] = event["timestamp"];
    return messages;
  }
  const auto picked_up = shopping_state_.find(product);
  if (picked_up == shopping_state_.end()) {
    // Nobody can bill it: the pick up is with another worker, or never was.
    remark_ = "purchase of product " + product + " without a pick up: not billed";
    return messages;
  }
  const std::string bill = billing_event(known.customer, event, picked_up->second, known.shopping_cost);
  shopping_state_.erase(picked_up);
  messages.push_back({billing_output_, "", bill});
  messages.push_back({customer_output_, known.customer + ".billing", bill});
  return messages;
}

}  // namespace brokerlab
