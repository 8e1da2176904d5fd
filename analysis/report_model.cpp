#include "analysis/report_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

constexpr std::size_t kMostOfSentence = 1000;  // characters shown of texts that may be long

Verdict verdict_of(const Json& holder) {
  Verdict verdict{find_text(holder, "/verdict/status"), {}};
  if (verdict.status.empty()) verdict.status = "unknown";
  const Json* reasons = find_value(holder, "/verdict/reasons");
  for (const Json& reason : reasons != nullptr && reasons->is_array() ? *reasons : Json::array()) {
    verdict.reasons.push_back(find_text(reason, "", kMostOfSentence));
  }
  return verdict;
}

// The worst verdict of a variant's repetitions, with every reason once.
Verdict verdict_of(const ChartVariant& variant) {
  const auto badness = [](const std::string& status) {
    return status == "invalid" ? 2 : status == "valid" ? 0 : 1;
  };
  Verdict worst{"valid", {}};
  for (const Json* run : variant.runs) {
    const Verdict verdict = verdict_of(*run);
    if (badness(verdict.status) > badness(worst.status)) worst.status = verdict.status;
    for (const std::string& reason : verdict.reasons) {
      if (std::find(worst.reasons.begin(), worst.reasons.end(), reason) == worst.reasons.end()) {
        worst.reasons.push_back(reason);
      }
    }
  }
  return worst;
}

bool is_true(const Json& holder, std::string_view pointer) {
  const Json* value = find_value(holder, pointer);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

// Results of before the unit was written: by the name.
std::string unit_of(const std::string& expression) {
  const std::string metric = expression.substr(0, expression.find_first_of(" <>=!"));
  for (const char* end : {".p50", ".p90", ".p99", ".p99_9", ".mean", ".min", ".max", "makespan"}) {
    if (metric.find(end) != std::string::npos) return "ns";
  }
  return "count";
}

std::string threshold_value(const std::string& unit, std::optional<double> value) {
  if (unit == "ns") return duration_text(value);
  if (unit == "bytes") return bytes_text(value);
  if (unit == "per_s") return rate_text(value);
  return value && *value < 2 && *value != static_cast<double>(static_cast<int>(*value)) ? index_text(value)
                                                                                        : count_text(value);
}

// One expression for one variant, over its repetitions.
struct ThresholdRow {
  std::string expression;
  std::string variant;
  std::string unit;
  bool stopped = false;  // it ended a run early
  std::optional<double> low, high;
  std::size_t runs = 0;
  std::size_t missed = 0;
  std::size_t unmeasured = 0;

  void add(const Json& entry) {
    const auto value = find_number(entry, "/value");
    ++runs;
    stopped |= is_true(entry, "/stopped");
    if (!is_true(entry, "/ok")) ++missed;
    if (!value) {
      ++unmeasured;
      return;
    }
    low = low ? std::min(*low, *value) : *value;
    high = high ? std::max(*high, *value) : *value;
  }

  std::vector<Cell> cells() const {
    const std::string least = threshold_value(unit, low);
    const std::string most = threshold_value(unit, high);
    std::string measured = least == most ? least : least + " – " + most;
    if (unmeasured > 0 && low) measured += fmt::format(" ({} not measured)", unmeasured);
    const std::string verdict = missed == 0 ? "met"
                                : runs == 1 ? "missed"
                                            : fmt::format("missed in {} of {}", missed, runs);
    if (stopped) measured += "; this ended the experiment";
    return {{verdict, missed == 0 ? Tone::kGood : Tone::kBad},
            {expression},
            {variant.empty() ? "all" : variant},
            {measured}};
  }
};

// Where a threshold is met by every variant, one row says so.
std::vector<ThresholdRow> merged_where_met(const std::vector<ThresholdRow>& rows) {
  std::vector<ThresholdRow> merged;
  for (const ThresholdRow& row : rows) {
    const auto same = [&](const ThresholdRow& other) { return other.expression == row.expression; };
    const auto all = std::count_if(rows.begin(), rows.end(), same);
    const bool met = std::none_of(rows.begin(), rows.end(), [&](const ThresholdRow& other) {
      return same(other) && (other.missed > 0 || !other.low);
    });
    if (!met || all == 1) {
      merged.push_back(row);
      continue;
    }
    const auto known = std::find_if(merged.begin(), merged.end(), same);
    if (known == merged.end()) {
      merged.push_back(row);
      merged.back().variant = fmt::format("all {}", all);
    } else {
      known->low = std::min(*known->low, *row.low);
      known->high = std::max(*known->high, *row.high);
    }
  }
  return merged;
}

Table thresholds_table(const Json& result) {
  Table table{"Thresholds", "", {{"", false}, {"must hold", false}, {"variant", false}, {"measured"}}, {}};
  const Json* thresholds = find_value(result, "/thresholds");
  std::vector<ThresholdRow> rows;
  for (const Json& each : thresholds != nullptr && thresholds->is_array() ? *thresholds : Json::array()) {
    const std::string expression = find_text(each, "/expression");
    const std::string variant = find_text(each, "/variant");
    auto row = std::find_if(rows.begin(), rows.end(), [&](const ThresholdRow& known) {
      return known.expression == expression && known.variant == variant;
    });
    if (row == rows.end())
      row = rows.insert(rows.end(), {expression, variant, find_text(each, "/unit"), false, {}, {}});
    if (row->unit.empty()) row->unit = unit_of(expression);
    row->add(each);
  }
  rows = merged_where_met(rows);
  std::stable_partition(rows.begin(), rows.end(), [](const ThresholdRow& row) { return row.missed > 0; });
  for (const ThresholdRow& row : rows) table.rows.push_back(row.cells());
  return table;
}

// {"ledger.lost": 0} as "ledger.lost = 0".
std::string evidence_text(const Json* evidence) {
  if (evidence == nullptr) return "";
  if (!evidence->is_object()) return find_text(*evidence, "");
  std::vector<std::string> parts;
  for (const auto& [key, value] : evidence->items()) {
    std::string name = display_text(key);
    std::string shown = value.is_number() ? count_text(value.get<double>()) : find_text(value, "");
    if (value.is_number() && name.ends_with("_ns")) {
      shown = duration_text(value.get<double>());
      name.resize(name.size() - 3);
    } else if (value.is_number() && name.ends_with("_share")) {
      shown = share_text(value.get<double>());
    }
    parts.push_back(name + " = " + shown);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<Table> answer_tables(const Json& result) {
  std::vector<Table> tables;
  const Json* answers = find_value(result, "/answers");
  for (const Json& each : answers != nullptr && answers->is_array() ? *answers : Json::array()) {
    const std::string question = find_text(each, "/question", kMostOfSentence);
    auto table = std::find_if(tables.begin(), tables.end(),
                              [&](const Table& known) { return known.title == question; });
    if (table == tables.end())
      table = tables.insert(tables.end(),
                            {question, "", {{"variant", false}, {"answer", false}, {"measured", false}}, {}});
    table->rows.push_back({{find_text(each, "/variant")},
                           {find_text(each, "/answer", kMostOfSentence)},
                           {evidence_text(find_value(each, "/evidence")), Tone::kMuted}});
  }
  return tables;
}

Table scaling_table(const Json& result) {
  Table table{
      "Speed-up",
      "Variants that differ in nothing but the number of instances; against the fewest. Efficiency is "
      "the speed-up per instance.",
      {{"variant", false}, {"role", false}, {"instances"}, {"all done after"}, {"speed-up"}, {"efficiency"}},
      {}};
  const Json* groups = find_value(result, "/comparison/scaling");
  for (const Json& group : groups != nullptr && groups->is_array() ? *groups : Json::array()) {
    const Json* variants = find_value(group, "/variants");
    for (const Json& each : variants != nullptr && variants->is_array() ? *variants : Json::array()) {
      table.rows.push_back({{find_text(each, "/variant")},
                            {find_text(group, "/role")},
                            {count_text(find_number(each, "/instances"))},
                            {duration_text(find_number(each, "/makespan_ns"))},
                            {ratio_text(find_number(each, "/speed_up"))},
                            {ratio_text(find_number(each, "/efficiency"))}});
    }
  }
  return table;
}

void add_pairs(Table& table, const Json& environment, const std::string& part) {
  const Json* pairs = find_value(environment, "/" + part);
  if (pairs == nullptr || !pairs->is_object()) return;
  for (const auto& [key, value] : pairs->items()) {
    std::string name = part == "versions" ? display_text(key) : display_text(part + " " + key);
    std::string text = find_text(value, "");
    if (value.is_number() && key == "memory_bytes") {
      name = part + " memory";
      text = bytes_text(value.get<double>());
    } else if (value.is_array()) {
      std::vector<std::string> words;
      for (const Json& word : value) words.push_back(find_text(word, ""));
      text = joined(words);
    }
    std::replace(name.begin(), name.end(), '_', ' ');
    table.rows.push_back({{name}, {text}});
  }
}

Table environment_table(const Json& result) {
  Table table{"Environment", "", {{"", false}, {"", false}}, {}};
  if (const Json* environment = find_value(result, "/environment")) {
    for (const char* part : {"versions", "broker", "host"}) add_pairs(table, *environment, part);
    if (is_true(*environment, "/tls_insecure"))
      table.rows.push_back({{"TLS"}, {"certificates were not verified", Tone::kBad}});
  }
  for (const char* key : {"seed", "config_hash", "schema_version"}) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', ' ');
    if (find_value(result, std::string("/") + key) != nullptr)
      table.rows.push_back({{name}, {find_text(result, std::string("/") + key)}});
  }
  return table;
}

std::string command_of(const Json& result) {
  const Json* words = find_value(result, "/environment/command");
  std::string command;
  for (const Json& word : words != nullptr && words->is_array() ? *words : Json::array()) {
    if (!word.is_string()) continue;
    command +=
        (command.empty() ? "" : " ") + shell_quoted(display_text(word.get_ref<const std::string&>(), 4000));
  }
  return command;
}

VariantPart part_of(const ChartVariant& variant) {
  VariantPart part{variant.name, variant.colour, verdict_of(variant), variant_tables(variant), {}};
  for (const Json* run : variant.runs) {
    const Json* notices = find_value(*run, "/notices");
    for (const Json& notice : notices != nullptr && notices->is_array() ? *notices : Json::array()) {
      part.notices.push_back(find_text(notice, "", kMostOfSentence));
    }
  }
  return part;
}

// "2026-11-21T03:13:55.123Z" as "2026-11-21 03:13 UTC".
std::string readable_time(const std::string& iso8601) {
  if (iso8601.size() < 16 || iso8601[10] != 'T') return iso8601;
  return iso8601.substr(0, 10) + " " + iso8601.substr(11, 5) + " UTC";
}

std::vector<std::string> chosen_charts(const Json& result) {
  std::vector<std::string> names;
  const Json* variants = find_value(result, "/plan/variants");
  const Json* charts = nullptr;
  if (variants != nullptr && variants->is_object() && !variants->empty())
    charts = find_value(variants->begin().value(), "/charts");
  for (const Json& name : charts != nullptr && charts->is_array() ? *charts : Json::array()) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  // So many variants, which nobody compares with each other.
  if (names.empty() && result.contains("search"))
    return {"knee", "backlog", "throughput", "latency-over-time"};
  return names;
}

}  // namespace

Section section_of(const Json& result) {
  const ChartSource source({&result, 1});
  Section section;
  section.experiment = find_text(result, "/experiment");
  section.run_id = find_text(result, "/run_id");
  section.started_at = readable_time(find_text(result, "/started_at"));
  if (const Json* question = find_value(result, "/plan/question");
      question != nullptr && question->is_string()) {
    section.question = display_text(question->get_ref<const std::string&>(), 4000);
  }
  section.aborted = is_true(result, "/aborted");
  section.verdict = verdict_of(result);
  section.headlines = headlines_of(result);
  section.thresholds = thresholds_table(result);
  if (result.contains("search")) {
    section.search = search_table(result);
  } else {
    section.comparison = comparison_table(source);
  }
  section.pipeline = pipeline_table(source);
  section.loops = loops_table(source);
  section.answers = answer_tables(result);
  section.pairs = pairs_table(result);
  section.scaling = scaling_table(result);
  section.flags = flags_of(result);
  for (const ChartVariant& variant : source.variants()) section.variants.push_back(part_of(variant));
  section.environment = environment_table(result);
  section.command = command_of(result);
  section.charts = chosen_charts(result);
  return section;
}

std::string questions_heading(const std::vector<Table>& answers) {
  return answers.size() == 5 ? "Five questions" : "Questions and answers";
}

const std::vector<GlossaryEntry>& glossary() {
  static const std::vector<GlossaryEntry> kGlossary = {
      {"due (intended time)",
       "the instant at which the declared load wanted a message to be sent, whether or not it could be"},
      {"age at arrival (end_to_end)",
       "from due to received: what somebody waiting for the message feels, the sender's delays included"},
      {"age when done (done)", "from due until the consumer's work on the message was finished"},
      {"from the send (delivery)",
       "from the actual send to the receipt: the usual measure, which does not see the wait before the send"},
      {"send delay", "from due to the actual send: how far the generator fell behind its schedule"},
      {"p50, p99, p99.9", "so many per cent of the samples lie at or below this value (nearest rank)"},
      {"offered, published, confirmed, delivered rate",
       "messages per second that were due, sent, confirmed by the broker, and received by consumers"},
      {"makespan", "from the first message due to the last work done"},
      {"Jain's index", "evenness of shares: 1 when all got the same, 1/n when one of n got everything"},
      {"unroutable",
       "published, but no binding led to a queue; the broker confirms such messages all the same"},
      {"copy", "a message in one queue; a fanout makes one in every bound queue"},
      {"amplification", "deliveries per message that the loads published"},
      {"completed",
       "a submission whose work was done at the role that ends the pipeline; its age then counts from the "
       "instant at which the submission was due"},
      {"feedback loop", "messages that a role publishes and that come back to it; a hop limit ends them"},
      {"redelivery",
       "a copy that the broker hands out again, because it was not acknowledged the first time"},
      {"lost", "confirmed, routed and due to survive, but absent after the queues had been drained"},
      {"flag",
       "a doubt about the measurement that is checked in every run; what could not be checked is unmeasured, "
       "never passed"},
      {"verdict",
       "whether the measurement can be trusted: valid, invalid, or unknown; it does not judge the broker"},
  };
  return kGlossary;
}

}  // namespace brokerlab::report
