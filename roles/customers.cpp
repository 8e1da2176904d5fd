#include "roles/customers.h"

#include "core/error.h"

namespace brokerlab {
namespace {

constexpr std::int64_t kMostProducts = 10'000'000;

[[noreturn]] void refuse(const std::string& what, const std::string& where) {
  throw Error(what, where,
              "an entry is {\"product_number\": \"7\", \"cost_per_unit\": 1.25, \"number_of_units\": 2}",
              ExitStatus::kUsage);
}

std::string product_of(const Json& value, const std::string& where) {
  if (value.is_string() && !value.get<std::string>().empty()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  refuse("a product_number is a text", where);
}

}  // namespace

Customers Customers::read(const std::filesystem::path& file) {
  return from_json(read_json_file(file), file.string());
}

Customers Customers::from_json(const Json& database, const std::string& where) {
  if (!database.is_object()) refuse("a customers database is an object: customer id -> products", where);
  Customers customers;
  for (const auto& [customer, entries] : database.items()) {
    const std::string place = where + ", customer " + customer;
    if (!entries.is_array()) {
      customers.add_entry(customer, entries, place);
      continue;
    }
    for (const Json& entry : entries) customers.add_entry(customer, entry, place);
  }
  return customers;
}

void Customers::add_entry(const std::string& customer, const Json& entry, const std::string& where) {
  if (!entry.is_object()) refuse("an entry of a customer is an object", where);
  const auto cost = Money::from_json(entry.value("cost_per_unit", Json()));
  const Json units = entry.value("number_of_units", Json());
  if (!cost) refuse("cost_per_unit is no amount of money with at most six decimals", where);
  if (!units.is_number_integer() || units < 0) refuse("number_of_units is no whole number from 0", where);
  const auto total = cost->times(units.get<std::int64_t>());
  if (!total) refuse("this amount is too large", where);
  const CustomerProduct product{customer, total->less_per_cent(kDiscountPerCent)};
  if (!entry.contains("product_numbers")) {
    return add(product_of(entry.value("product_number", Json()), where), product, where);
  }
  const Json& range = entry.at("product_numbers");
  const bool shaped = range.is_array() && range.size() == 2 && range[0].is_number_integer() &&
                      range[1].is_number_integer() && range[0] <= range[1];
  if (!shaped || range[1].get<std::int64_t>() - range[0].get<std::int64_t>() >= kMostProducts) {
    refuse("product_numbers is [first, last], whole numbers", where);
  }
  for (auto number = range[0].get<std::int64_t>(); number <= range[1].get<std::int64_t>(); ++number) {
    add(std::to_string(number), product, where);
  }
}

void Customers::add(const std::string& product, const CustomerProduct& of, const std::string& where) {
  if (!products_.emplace(product, of).second) refuse("product " + product + " stands there twice", where);
}

const CustomerProduct* Customers::find(const std::string& product_number) const {
  const auto found = products_.find(product_number);
  return found == products_.end() ? nullptr : &found->second;
}

}  // namespace brokerlab
