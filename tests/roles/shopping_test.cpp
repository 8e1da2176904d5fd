#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "roles/customer_app.h"
#include "roles/shopping_worker.h"

namespace brokerlab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Verdict = Reaction::Verdict;

std::string cost(const char* per_unit, std::int64_t units) {
  return Money::from_json(Json::parse(per_unit))->times(units)->less_per_cent(20).to_text();
}

TEST(Money, IsExact) {
  EXPECT_EQ(cost("0.10", 3), "0.24");
  EXPECT_EQ(cost("19.99", 2), "31.98");
  EXPECT_EQ(cost("10", 1), "8.00");
  EXPECT_EQ(cost("2.5", 2), "4.00");
  EXPECT_EQ(cost("0.01", 1), "0.01");  // 0.008
  EXPECT_EQ(cost("0.01", 0), "0.00");
  EXPECT_EQ(cost("1.005", 125), "100.50");  // binary floating point makes 100.49999… of it
  EXPECT_EQ(cost("0.00625", 1), "0.01");    // 0.005: half goes up
  EXPECT_EQ(cost("999999999999.99", 1), "799999999999.99");
  EXPECT_EQ(cost("\"1.15\"", 1), "0.92");
}

TEST(Money, RefusesWhatIsNoAmount) {
  for (const char* text : {"-1", "0.1234567", "\"\"", "\"1.\"", "\".5\"", "\"1,5\"", "true", "null",
                           "1234567890123", "\"0x10\"", "1e-7"}) {
    EXPECT_FALSE(Money::from_json(Json::parse(text)).has_value()) << text;
  }
  EXPECT_FALSE(Money::from_json(999'999'999'999)->times(1'000'000'000).has_value());
  EXPECT_FALSE(Money::from_json(1)->times(-1).has_value());
}

Customers customers_of(const char* text) { return Customers::from_json(Json::parse(text), "customers.json"); }

TEST(Customers, HaveOneProductOrAListOrARange) {
  const Customers customers = customers_of(R"({
    "ann": {"product_number": "7", "cost_per_unit": 1.25, "number_of_units": 4},
    "bob": [{"product_number": "8", "cost_per_unit": 1, "number_of_units": 1},
            {"product_numbers": [100, 102], "cost_per_unit": "0.50", "number_of_units": 2}]})");
  EXPECT_EQ(customers.products(), 5U);
  EXPECT_EQ(customers.find("7")->customer, "ann");
  EXPECT_EQ(customers.find("7")->shopping_cost.to_text(), "4.00");
  EXPECT_EQ(customers.find("102")->customer, "bob");
  EXPECT_EQ(customers.find("103"), nullptr);
}

TEST(Customers, RefuseWhatCannotBeBilled) {
  for (const char* text :
       {"[]", R"({"ann": 1})", R"({"ann": {"product_number": "7"}})",
        R"({"ann": {"product_number": "7", "cost_per_unit": -1, "number_of_units": 1}})",
        R"({"ann": {"product_number": "7", "cost_per_unit": 1, "number_of_units": 1.5}})",
        R"({"ann": {"product_number": true, "cost_per_unit": 1, "number_of_units": 1}})",
        R"({"ann": {"product_numbers": [5, 1], "cost_per_unit": 1, "number_of_units": 1}})",
        R"({"ann": {"product_number": "7", "cost_per_unit": 1, "number_of_units": 1},
            "bob": {"product_number": "7", "cost_per_unit": 1, "number_of_units": 1}})"}) {
    EXPECT_THROW(customers_of(text), Error) << text;
  }
}

class Shopping : public testing::Test {
 protected:
  Shopping() {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "customers.json") << R"({
      "ann": {"product_number": "7", "cost_per_unit": 19.99, "number_of_units": 2}})";
    spec_ = RoleSpec::from_json({{"role", "shopping-worker"},
                                 {"consume", {{"queue", "q"}}},
                                 {"behaviour", "shopping_worker"},
                                 {"settings", {{"customers", "customers.json"}}},
                                 {"outputs",
                                  {{"customers", {{"exchange", "customer_app_events"}}},
                                   {"billing", {{"routing_key", "billing_events"}}}}}});
    worker_ = std::make_unique<ShoppingWorker>(BehaviourSetting{spec_, "worker-0", folder_});
  }
  ~Shopping() override { std::filesystem::remove_all(folder_); }

  std::vector<Outgoing> act(const std::string& body) {
    const Reaction reaction = worker_->receive(body, "7");
    EXPECT_EQ(reaction.verdict, Verdict::kAct) << body;
    return worker_->finish(reaction, body);
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("brokerlab-shopping-" + std::to_string(::getpid()));
  RoleSpec spec_;
  std::unique_ptr<ShoppingWorker> worker_;
};

TEST_F(Shopping, APurchaseIsBilledAndBothEventsReachTheCustomer) {
  const std::string pick_up = R"({"entry_type": "pick up", "product_number": "7", "timestamp": 10.5})";
  const std::string purchase = R"({"entry_type": "purchase", "product_number": "7", "timestamp": 20})";
  const std::vector<Outgoing> first = act(pick_up);
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].routing_key, "ann.shopping");
  EXPECT_EQ(first[0].body, pick_up);
  EXPECT_EQ(worker_->shopping_state().at("7"), 10.5);

  const std::vector<Outgoing> second = act(purchase);
  ASSERT_THAT(second, SizeIs(3));
  EXPECT_EQ(second[0].routing_key, "ann.shopping");
  EXPECT_EQ(second[1].output, spec_.output("billing"));
  EXPECT_EQ(
      second[1].body,
      R"({"customer_id":"ann","product_number":"7","pick_up_time":10.5,"purchase_time":20,"shopping_cost":31.98})");
  EXPECT_EQ(second[2].routing_key, "ann.billing");
  EXPECT_EQ(second[2].body, second[1].body);
  EXPECT_THAT(worker_->shopping_state(), IsEmpty());
  EXPECT_EQ(worker_->events(), 2U);
}

TEST_F(Shopping, AnUnknownProductIsTurnedDownAndNotKept) {
  const std::string body = R"({"entry_type": "pick up", "product_number": "8", "timestamp": 1})";
  EXPECT_EQ(worker_->receive(body, "8").verdict, Verdict::kReject);
  EXPECT_THAT(worker_->shopping_state(), IsEmpty());
  EXPECT_EQ(worker_->events(), 0U);
}

TEST_F(Shopping, APurchaseWithoutAPickUpIsNotBilled) {
  EXPECT_THAT(act(R"({"entry_type": "purchase", "product_number": "7", "timestamp": 1})"), SizeIs(1));
  EXPECT_THAT(worker_->remark(), testing::HasSubstr("without a pick up"));
}

TEST_F(Shopping, WhatIsNoEventIsUnreadable) {
  for (const char* body :
       {"", "text", "[]", "{}", R"({"entry_type": "pick up", "product_number": 7, "timestamp": 1})",
        R"({"entry_type": "stolen", "product_number": "7", "timestamp": 1})",
        R"({"entry_type": "purchase", "product_number": "7", "timestamp": "now"})"}) {
    EXPECT_EQ(worker_->receive(body, "7").verdict, Verdict::kUnreadable) << body;
  }
}

TEST(CustomerApp, KeepsBothListsInOrderOfArrival) {
  const RoleSpec spec = RoleSpec::from_json({{"role", "customer-app"}, {"consume", {{"queue", "q"}}}});
  CustomerApp app({spec, "customer-0", "."});
  const auto take = [&](const char* key, const std::string& body) {
    const Reaction reaction = app.receive(body, key);
    if (reaction.verdict == Verdict::kAct) app.finish(reaction, body);
    return reaction.verdict;
  };
  EXPECT_EQ(take("ann.shopping", R"({"a":1})"), Verdict::kAct);
  EXPECT_EQ(take("ann.billing", R"({"b":1})"), Verdict::kAct);
  EXPECT_EQ(take("ann.shopping", R"({"a":2})"), Verdict::kAct);
  EXPECT_EQ(take("ann.shopping", "text"), Verdict::kUnreadable);
  EXPECT_EQ(take("ann.other", "{}"), Verdict::kUnreadable);
  EXPECT_THAT(app.shopping_events(), ElementsAre(R"({"a":1})", R"({"a":2})"));
  EXPECT_THAT(app.billing_events(), ElementsAre(R"({"b":1})"));
  EXPECT_EQ(app.remark(), "2 shopping and 1 billing events so far");
}

}  // namespace
}  // namespace brokerlab
