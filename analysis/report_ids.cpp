// The tables of a report that name single messages and keys.
#include <fmt/format.h>

#include "analysis/report_model.h"
#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

constexpr std::size_t kMostRows = 20;

// A row of `row(entry)` for each entry of that list, of the first ones only.
template <class Row>
Table listed(const ChartVariant& variant, const char* pointer, Table table, Row row) {
  std::size_t all = 0;
  for (const Json* run : variant.runs) {
    const Json* list = find_value(*run, pointer);
    for (const Json& entry : list != nullptr && list->is_array() ? *list : Json::array()) {
      if (++all <= kMostRows) table.rows.push_back(row(entry));
    }
  }
  if (all > kMostRows) table.note = fmt::format("The first {} of {} listed in result.json.", kMostRows, all);
  return table;
}

std::vector<Cell> message_row(const Json& id) {
  return {{count_text(find_number(id, "/publisher"))},
          {count_text(find_number(id, "/sequence"))},
          {find_value(id, "/queue") == nullptr ? "any" : find_text(id, "/queue")}};
}

Table message_table(const char* title) {
  return {title, "", {{"publisher"}, {"sequence"}, {"queue", false}}, {}};
}

std::vector<Cell> stray_row(const Json& stray) {
  std::string queues;
  const Json* seen = find_value(stray, "/queues");
  for (const Json& queue : seen != nullptr && seen->is_array() ? *seen : Json::array()) {
    queues += (queues.empty() ? "" : ", ") + display_text(queue.is_string() ? queue.get<std::string>() : "");
  }
  return {{find_value(stray, "/routing_key") == nullptr ? "hash " + find_text(stray, "/key_hash")
                                                        : find_text(stray, "/routing_key")},
          {queues},
          {count_text(find_number(stray, "/publisher"))},
          {count_text(find_number(stray, "/sequence"))}};
}

}  // namespace

Table lost_table(const ChartVariant& variant) {
  return listed(variant, "/ledger/lost_ids", message_table("Lost messages"), message_row);
}

Table unexpected_table(const ChartVariant& variant) {
  return listed(variant, "/ledger/unexpected_ids", message_table("Messages that nobody published"),
                message_row);
}

Table corrupted_table(const ChartVariant& variant) {
  return listed(variant, "/ledger/corrupted_ids", message_table("Messages whose body was altered"),
                message_row);
}

Table strays_table(const ChartVariant& variant) {
  return listed(variant, "/ledger/affinity_violation_keys",
                {"Keys on more than one queue",
                 "",
                 {{"key", false}, {"queues", false}, {"a message astray: publisher"}, {"sequence"}},
                 {}},
                stray_row);
}

}  // namespace brokerlab::report
