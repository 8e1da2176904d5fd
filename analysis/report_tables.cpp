#include <fmt/format.h>

#include <algorithm>

#include "analysis/report_model.h"
#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

struct LedgerLine {
  const char* key;
  const char* shown;
  const char* meaning;
  bool always;  // otherwise only when it is not zero
  bool bad;     // a number above zero is bad news
};
constexpr LedgerLine kLedger[] = {
    {"published", "published", "messages handed to the broker", true, false},
    {"confirmed", "confirmed", "the broker took responsibility, unroutable ones included", true, false},
    {"returned", "unroutable", "came back: no queue took them", true, false},
    {"nacked", "nacked", "refused by the broker", false, true},
    {"refused", "never sent", "given up before the send", false, true},
    {"unknown", "unknown outcome", "neither confirmed nor refused", true, true},
    {"unconfirmed_by_design", "without confirms", "published on a channel that asks for none", false, false},
    {"copies", "copies", "promised to queues: one message may make many or none", true, false},
    {"deliveries", "deliveries", "receipts by consumers, repeated ones included", true, false},
    {"unique", "delivered", "copies received at least once", true, false},
    {"duplicates", "delivered again", "deliveries of a copy that had been received before", true, false},
    {"redelivered_flag", "flagged redelivered", "the broker's flag; it proves no earlier receipt", false,
     false},
    {"done", "done", "copies whose work was finished", true, false},
    {"done_again", "done again", "work that was finished more than once", false, true},
    {"ignored", "ignored", "received, but nothing for this role to do", false, false},
    {"unreadable", "unreadable", "bodies that the role could not read", false, true},
    {"verified", "verified", "bodies compared with the checksum they brought along", false, false},
    {"corrupted", "corrupted", "bodies that were not what was sent", false, true},
    {"requeued", "requeued", "given back to the queue", false, false},
    {"rejected", "rejected", "thrown out of the queue by a consumer", false, false},
    {"outstanding", "left over", "still in queues at the end", false, true},
    {"missing_unconfirmed", "missing, unconfirmed", "absent, but never confirmed either", false, false},
    {"recovered", "recovered", "delivered although the outcome of the publish was unknown", false, false},
    {"lost", "lost", "confirmed, routed, due to survive, and absent after the drain", true, true},
    {"lost_by_design", "lost by design", "absent, as the declared setting or fault must make them", false,
     true},
    {"unexpected", "unexpected", "delivered, but never published by this run", false, true},
    {"order_violations", "out of order", "first deliveries in falling order within one channel", false, true},
    {"affinity_violations", "affinity violations", "keys seen on more than one queue", false, true},
    {"dead_lettered", "dead-lettered", "died in their queue and came out of another one", false, false},
    {"dead_letters/rejected", "· rejected", "by the reason in the x-death header", false, false},
    {"dead_letters/expired", "· expired", "by the reason in the x-death header", false, false},
    {"dead_letters/maxlen", "· pushed out (maxlen)", "by the reason in the x-death header", false, false},
    {"dead_letters/delivery_limit", "· delivered too often", "by the reason in the x-death header", false,
     false},
    {"dead_letters/other", "· for another reason", "by the reason in the x-death header", false, false},
    {"rerouted", "rerouted", "seen on another queue than the bindings promised", false, false},
    {"foreign", "foreign", "messages of others", false, false},
    {"unlisted", "unlisted routes", "published with keys not known beforehand", false, false},
};

Table ledger_table(const ChartVariant& variant) {
  Table table{"Ledger", "", {{"what", false}, {"messages"}}, {}};
  if (variant.runs.size() > 1) table.note = fmt::format("Sums over {} repetitions.", variant.runs.size());
  bool any = false;
  for (const LedgerLine& line : kLedger) {
    const auto value = total(variant, fmt::format("/ledger/{}", line.key));
    any = any || value.has_value();
    if (!line.always && value.value_or(0) == 0) continue;
    table.rows.push_back(
        {{line.shown, Tone::kPlain, line.meaning},
         {count_text(value), line.bad && value.value_or(0) > 0 ? Tone::kBad : Tone::kPlain}});
  }
  if (!any) table.rows.clear();
  return table;
}

Table laws_table(const ChartVariant& variant) {
  Table table{"Books that do not balance", "", {{"law", false}, {"left"}, {"right"}}, {}};
  for (const Json* run : variant.runs) {
    const Json* laws = find_value(*run, "/ledger/laws");
    for (const Json& law : laws != nullptr && laws->is_array() ? *laws : Json::array()) {
      if (find_value(law, "/ok") != nullptr && law["ok"] == true) continue;
      table.rows.push_back({{find_text(law, "/law"), Tone::kBad},
                            {count_text(find_number(law, "/left"))},
                            {count_text(find_number(law, "/right"))}});
    }
  }
  return table;
}

Table network_table(const ChartVariant& variant) {
  Table table{"Network cost",
              "",
              {{"", false}, {"per task"}, {"to the broker"}, {"from the broker"}, {"together"}},
              {}};
  if (variant.runs.size() > 1) table.note = "Per task: the median; otherwise sums over the repetitions.";
  using Format = std::string (*)(std::optional<double>);
  const auto add = [&](const char* name, const std::string& key, Format format, Format per_task_format) {
    const auto per_task = spread(variant, "/network/per_task/" + key);
    const auto up = total(variant, "/network/" + key + "_to_broker");
    const auto down = total(variant, "/network/" + key + "_from_broker");
    const auto both = total(variant, "/network/" + key);
    if (!per_task && !up && !down && !both) return;
    table.rows.push_back({{name},
                          {per_task ? per_task_format(per_task->median) : ""},
                          {format(up)},
                          {format(down)},
                          {format(both)}});
  };
  add("messages", "messages", count_text, ratio_text);
  add("AMQP frames", "frames", count_text, ratio_text);
  add("bytes", "bytes", bytes_text, bytes_text);
  return table;
}

// Of the first repetition: the others are alike, and a table of all would be long.
Table processes_table(const ChartVariant& variant) {
  Table table{
      "What our processes took",
      "Processor time from start to end, divided by the messages published and received; memory at the "
      "end.",
      {{"process", false}, {"instances"}, {"messages"}, {"processor time"}, {"per message"}, {"memory"}},
      {}};
  constexpr std::size_t kMostRows = 20;
  if (variant.runs.empty()) return table;
  const Json& run = *variant.runs.front();
  for (const Json& process : run.value("processes", Json::array())) {
    if (table.rows.size() == kMostRows) {
      table.note += " The first 20 are shown.";
      break;
    }
    const auto messages = find_number(process, "/messages"), cpu = find_number(process, "/cpu_ns");
    const bool some = messages && cpu && *messages > 0;
    table.rows.push_back({{process.at("process").get<std::string>()},
                          {count_text(find_number(process, "/instances"))},
                          {count_text(messages)},
                          {duration_text(cpu)},
                          {some ? duration_text(*cpu / *messages) : ""},
                          {bytes_text(find_number(process, "/resident_bytes"))}});
  }
  return table;
}

std::optional<double> idle_share(const ChartConsumer& consumer) {
  const double all = consumer.busy_ns.value_or(0) + consumer.idle_ns.value_or(0);
  return consumer.idle_ns && all > 0 ? std::optional(*consumer.idle_ns / all) : std::nullopt;
}

Table work_table(const ChartVariant& variant) {
  Table table{
      "Work",
      "The least possible time is the sum of all work over the workers, or the longest piece: no way of "
      "sharing it out is faster.",
      {{"role", false},
       {"workers"},
       {"tasks"},
       {"work in all"},
       {"longest"},
       {"least possible"},
       {"took"},
       {"idle share"}},
      {}};
  for (std::size_t i = 0; i < variant.runs.size(); ++i) {
    const Json* list = find_value(*variant.runs[i], "/work");
    for (const Json& work : list != nullptr && list->is_array() ? *list : Json::array()) {
      table.rows.push_back(
          {{find_text(work, "/role") +
            (variant.runs.size() > 1 ? fmt::format(" (repetition {})", i + 1) : std::string())},
           {count_text(find_number(work, "/workers"))},
           {count_text(find_number(work, "/tasks"))},
           {duration_text(find_number(work, "/service_ns"))},
           {duration_text(find_number(work, "/longest_ns"))},
           {duration_text(find_number(work, "/lower_bound_ns"))},
           {duration_text(find_number(*variant.runs[i], "/makespan_ns"))},
           {share_text(find_number(work, "/idle_share"))}});
    }
  }
  return table;
}

Table workers_table(const ChartVariant& variant) {
  constexpr std::size_t kMostRows = 50;
  Table table{"Workers", "", {{"consumer", false}, {"messages"}, {"bytes"}}, {}};
  // Where work takes no time, nobody can be busy or idle.
  const bool works = std::any_of(variant.runs.begin(), variant.runs.end(),
                                 [](const Json* run) { return find_value(*run, "/work") != nullptr; });
  if (works) {
    for (const char* name : {"busy", "idle", "idle share"}) table.columns.push_back({name});
  }
  const std::vector<ChartConsumer> consumers = consumers_of(variant);
  for (const ChartConsumer& each : consumers) {
    if (table.rows.size() == kMostRows) {
      table.note = fmt::format("The first {} of {} consumers. ", kMostRows, consumers.size());
      break;
    }
    table.rows.push_back({{each.label}, {count_text(each.messages)}, {bytes_text(each.bytes)}});
    if (!works) continue;
    table.rows.back().push_back({duration_text(each.busy_ns)});
    table.rows.back().push_back({duration_text(each.idle_ns)});
    table.rows.back().push_back({share_text(idle_share(each))});
  }
  if (variant.runs.size() > 1) table.note += "Means over the repetitions.";
  return table;
}

std::string fault_name(const Json& fault, const char* kind_key) {
  return find_text(fault, fmt::format("/{}", kind_key)) + " " + find_text(fault, "/target");
}

template <typename Row>
void for_each_entry(const ChartVariant& variant, const char* pointer, Row row) {
  for (std::size_t i = 0; i < variant.runs.size(); ++i) {
    const Json* list = find_value(*variant.runs[i], pointer);
    if (list == nullptr || !list->is_array()) continue;
    for (const Json& entry : *list)
      row(entry, variant.runs.size() > 1 ? fmt::format(" (repetition {})", i + 1) : "");
  }
}

Table faults_table(const ChartVariant& variant) {
  Table table{"Faults",
              "Times count from the start of the run.",
              {{"fault", false}, {"process", false}, {"scheduled"}, {"happened"}, {"ended"}},
              {}};
  for_each_entry(variant, "/faults", [&](const Json& fault, const std::string& where) {
    const auto at = find_number(fault, "/at_ns");
    std::string processes;
    const Json* hit = find_value(fault, "/processes");
    for (const Json& name : hit != nullptr && hit->is_array() ? *hit : Json::array())
      processes +=
          (processes.empty() ? "" : ", ") + (name.is_string() ? display_text(name.get<std::string>()) : "");
    table.rows.push_back(
        {{fault_name(fault, "kind") + where},
         {processes.empty() ? "–" : processes},
         {duration_text(find_number(fault, "/scheduled_at_ns"))},
         {at ? duration_text(at) : "did not happen", at ? Tone::kPlain : Tone::kBad},
         {find_value(fault, "/ended_ns") == nullptr ? "–" : duration_text(find_number(fault, "/ended_ns"))}});
  });
  return table;
}

// What was not seen of a recovery is no gap in the measurement: nothing may have had to recover.
std::string seen(const std::string& text) { return text.empty() ? "–" : text; }

Table recovery_table(const ChartVariant& variant) {
  Table table{"Recovery",
              "Times count from the fault.",
              {{"after", false},
               {"unacked"},
               {"redelivered"},
               {"first redelivery"},
               {"last redelivery"},
               {"reconnected"},
               {"drained"},
               {"backlog as before"},
               {"wasted work"}},
              {}};
  for_each_entry(variant, "/recovery", [&](const Json& entry, const std::string& where) {
    table.rows.push_back({{fault_name(entry, "fault") + where},
                          {seen(count_text(find_number(entry, "/unacked")))},
                          {seen(count_text(find_number(entry, "/redelivered")))},
                          {seen(duration_text(find_number(entry, "/first_redelivery_ns")))},
                          {seen(duration_text(find_number(entry, "/last_redelivery_ns")))},
                          {seen(duration_text(find_number(entry, "/reconnected_ns")))},
                          {seen(duration_text(find_number(entry, "/drained_ns")))},
                          {seen(duration_text(find_number(entry, "/backlog_back_ns")))},
                          {seen(duration_text(find_number(entry, "/wasted_work_ns")))}});
  });
  return table;
}

Table downtime_table(const ChartVariant& variant) {
  constexpr std::size_t kMostRows = 20;
  Table table{
      "Downtime",
      "When processes were without a connection, or ended by a fault. Times count from the start of the run.",
      {{"process", false}, {"because", false}, {"from"}, {"to"}, {"for"}},
      {}};
  for_each_entry(variant, "/downtime", [&](const Json& interval, const std::string& where) {
    if (table.rows.size() == kMostRows) return;
    const auto from = find_number(interval, "/from_ns"), to = find_number(interval, "/to_ns");
    table.rows.push_back(
        {{find_text(interval, "/process") + where},
         {find_text(interval, "/cause") == "process" ? "it had been ended" : "no connection"},
         {duration_text(from)},
         {to ? duration_text(to) : "the end"},
         {from && to ? duration_text(*to - *from) : "–"}});
  });
  return table;
}

Table sharding_table(const ChartVariant& variant) {
  Table table{
      "Spread of the keys",
      "Distinct routing keys per queue against equal shares; p is how often chance alone is as uneven.",
      {{"between", false}, {"queues"}, {"keys"}, {"fewest"}, {"most"}, {"chi-square"}, {"p"}},
      {}};
  for_each_entry(variant, "/sharding/epochs", [&](const Json& epoch, const std::string& where) {
    double fewest = 0, most = 0;
    std::size_t count = 0;
    const Json* queues = find_value(epoch, "/queues");
    for (const Json& queue : queues != nullptr && queues->is_array() ? *queues : Json::array()) {
      const double keys = find_number(queue, "/keys").value_or(0);
      fewest = count == 0 ? keys : std::min(fewest, keys);
      most = std::max(most, keys);
      ++count;
    }
    const auto df = find_number(epoch, "/df");
    const auto p = find_number(epoch, "/p_value");
    const auto from = find_number(epoch, "/from_ns");
    table.rows.push_back({{(from && *from == 0 ? std::string("the start") : duration_text(from)) + " – " +
                           duration_text(find_number(epoch, "/to_ns")) + where},
                          {count_text(static_cast<double>(count))},
                          {count_text(find_number(epoch, "/keys"))},
                          {count_text(fewest)},
                          {count_text(most)},
                          {seen(ratio_text(find_number(epoch, "/chi_square"))), Tone::kPlain,
                           df ? fmt::format("df {}", *df) : ""},
                          {seen(index_text(p)), p && *p < 0.01 ? Tone::kBad : Tone::kPlain}});
  });
  return table;
}

Table membership_table(const ChartVariant& variant) {
  Table table{
      "Changes of membership",
      "Of the keys seen before and after: how many are on another queue, how many had to be, and how "
      "many the exchange's way of hashing moves. Stranded keys had a message on one queue before and the "
      "next one on another.",
      {{"change", false},
       {"at"},
       {"keys compared"},
       {"moved"},
       {"least possible"},
       {"formula"},
       {"stranded"}},
      {}};
  for_each_entry(variant, "/sharding/changes", [&](const Json& change, const std::string& where) {
    const bool join = find_text(change, "/change") == "join";
    table.rows.push_back(
        {{fmt::format("{} {} ({} before){}", find_text(change, "/queue"), join ? "joins" : "leaves",
                      count_text(find_number(change, "/members_before")), where)},
         {duration_text(find_number(change, "/at_ns"))},
         {count_text(find_number(change, "/keys_compared"))},
         {seen(share_text(find_number(change, "/moved_share")))},
         {seen(share_text(find_number(change, "/ideal")))},
         {seen(share_text(find_number(change, "/formula")))},
         {count_text(find_number(change, "/stranded"))}});
  });
  return table;
}

}  // namespace

std::vector<Table> variant_tables(const ChartVariant& variant) {
  std::vector<Table> tables;
  for (Table (*make)(const ChartVariant&) :
       {latency_table, ledger_table, laws_table, lost_table, unexpected_table, corrupted_table, strays_table,
        faults_table, recovery_table, downtime_table, network_table, processes_table, sharding_table,
        membership_table, work_table, theory_table, workers_table}) {
    Table table = make(variant);
    if (!table.empty()) tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace brokerlab::report
