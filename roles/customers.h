#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>

#include "core/json.h"
#include "roles/money.h"

namespace brokerlab {

// Who buys a product, and what it costs them.
struct CustomerProduct {
  std::string customer;
  Money shopping_cost;  // cost_per_unit * number_of_units less 20 %
};

// The customers database: a JSON object customer id -> {product_number, cost_per_unit, number_of_units}, or a
// list of them. Instead of one product_number an entry may have "product_numbers": [first, last], which
// stands for all whole numbers between. Immutable.
class Customers {
 public:
  static constexpr int kDiscountPerCent = 20;

  // Throws Error (kUsage) naming file and customer: not readable, no such object, a product of two customers.
  static Customers read(const std::filesystem::path& file);
  static Customers from_json(const Json& database, const std::string& where);

  const CustomerProduct* find(const std::string& product_number) const;  // nullptr: in no customer's entry
  std::size_t products() const { return products_.size(); }

 private:
  void add_entry(const std::string& customer, const Json& entry, const std::string& where);
  void add(const std::string& product, const CustomerProduct& of, const std::string& where);

  std::unordered_map<std::string, CustomerProduct> products_;
};

}  // namespace brokerlab
