#include "experiments/meaning.h"

#include <set>

#include "core/error.h"
#include "core/units.h"
#include "experiments/search_spec.h"
#include "experiments/threshold.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kLeastInterval = 100'000'000;  // of watching the broker

void check_names(const Json& experiment, Findings& findings) {
  const std::set<std::string> words{"broker", "all"};  // what faults can hit besides
  std::set<std::string> taken = words;
  const auto take = [&](const char* list, const char* key) {
    for (std::size_t i = 0; i < list_at(experiment, list).size(); ++i) {
      const std::string name = text_at(list_at(experiment, list)[i], key);
      if (name.empty() || taken.insert(name).second) continue;
      findings.error(JsonPointer() / list / i / key,
                     words.contains(name)
                         ? "\"" + name + "\" has a meaning of its own as the target of a fault"
                         : "the name \"" + name + "\" is taken by another load, churn or role",
                     "give it a name of its own");
    }
  };
  take("load", "name");
  take("churn", "name");
  take("roles", "role");
}

void check_broker(const Json& experiment, Findings& findings) {
  const Json& broker = member(experiment, "broker");
  const JsonPointer interval("/broker/watch/interval");
  if (findings.clean(interval) &&
      parse_duration(member(member(broker, "watch"), "interval")) < kLeastInterval) {
    findings.error(interval, "watching the broker more often than every 100 ms would keep it busy",
                   "e.g. \"500ms\"");
  }
  if (text_at(broker, "kind") == "private") return;
  if (whole_at(broker, "nodes") > 1) {
    findings.error(JsonPointer("/broker/nodes"), "only a private broker has a number of nodes to choose",
                   "remove it, or set kind to \"private\"");
  }
  if (!member(broker, "arguments").empty()) {
    findings.error(JsonPointer("/broker/arguments"), "only a private broker takes lines for rabbitmq.conf",
                   "remove them, or set kind to \"private\"");
  }
}

}  // namespace

const Json& member(const Json& value, const std::string& key) {
  static const Json nothing;
  const auto found = value.is_object() ? value.find(key) : value.end();
  return found == value.end() ? nothing : *found;
}

const Json& list_at(const Json& value, const std::string& key) {
  static const Json nothing = Json::array();
  const Json& found = member(value, key);
  return found.is_array() ? found : nothing;
}

std::string text_at(const Json& value, const std::string& key) {
  const Json& found = member(value, key);
  return found.is_string() ? found.get<std::string>() : "";
}

std::int64_t whole_at(const Json& value, const std::string& key) {
  const Json& found = member(value, key);
  return found.is_number_integer() ? found.get<std::int64_t>() : 0;
}

std::string with_number(std::string text, std::int64_t number) {
  constexpr std::string_view kPlaceholder = "{i}";
  const std::string digits = std::to_string(number);
  for (std::size_t at = text.find(kPlaceholder); at != std::string::npos;
       at = text.find(kPlaceholder, at + digits.size())) {
    text.replace(at, kPlaceholder.size(), digits);
  }
  return text;
}

std::string queue_of_instance(const Json& topology, const std::string& queue, std::int64_t index) {
  for (const Json& declared : list_at(topology, "queues")) {
    if (text_at(declared, "name") != queue) continue;
    const std::int64_t copies = std::max<std::int64_t>(whole_at(declared, "copies"), 1);
    return with_number(queue, whole_at(declared, "first") + index % copies);
  }
  return with_number(queue, index);
}

Nanoseconds load_ns(const Json& experiment, const Findings& findings) {
  if (!findings.clean(JsonPointer("/phases"))) return 1;
  const Json& phases = member(experiment, "phases");
  return parse_duration(member(phases, "warmup")) + parse_duration(member(phases, "measure"));
}

void check_thresholds(const Json& experiment, Findings& findings) {
  const ThresholdNames names = ThresholdNames::of(experiment);
  const Json& thresholds = list_at(experiment, "thresholds");
  for (std::size_t i = 0; i < thresholds.size(); ++i) {
    const JsonPointer at = JsonPointer("/thresholds") / i;
    const bool text = thresholds[i].is_string();
    if (!text && !member(thresholds[i], "expression").is_string()) continue;
    try {
      const ThresholdExpression expression = parse_threshold(
          text ? thresholds[i].get<std::string>() : text_at(thresholds[i], "expression"), names);
      if (const Json& search = member(experiment, "search"); expression.of_search == search.is_null())
        findings.error(text ? at : at / "expression",
                       search.is_null() ? "this is what a search comes to, and there is none"
                                        : "in a search, thresholds are about what it comes to",
                       search.is_null()
                           ? "add \"search\": {}"
                           : "put what every trial must keep into search.conditions; a threshold "
                             "is e.g. \"search.sustained_per_s >= 1000\"");
      if (text || !findings.clean(at)) continue;
      const Threshold threshold = Threshold::from_json(thresholds[i]);
      if (threshold.abort && !expression.live)
        findings.error(at / "expression",
                       "what this is about is known only when the run has ended: nothing can end early by it",
                       "\"abort\" goes with one of " + live_metric_names());
      if (!threshold.abort && threshold.after_ns > 0)
        findings.error(at / "after",
                       "\"after\" says from when on the threshold may end the run, and it never does",
                       "remove it, or add \"abort\": true");
    } catch (const Error& error) {
      findings.error(text ? at : at / "expression", error.summary(), error.remedy());
    }
  }
}

void check_meaning(const Json& experiment, const Json& written, const std::filesystem::path& directory,
                   Findings& findings) {
  if (!experiment.is_object()) return;
  const DeclaredNames names = declared_names(experiment);
  check_names(experiment, findings);
  check_broker(experiment, findings);
  check_topology(experiment, names, findings);
  check_loads(experiment, written, names, directory, findings);
  check_churn(experiment, names, directory, findings);
  check_roles(experiment, names, directory, findings);
  check_faults(experiment, findings);
  check_thresholds(experiment, findings);
  check_search(experiment, findings);
  if (!list_at(experiment, "load").empty() && load_ns(experiment, findings) == 0) {
    findings.error(JsonPointer("/phases/measure"), "no time for load: warmup and measure are both 0",
                   "e.g. \"measure\": \"10s\"");
  }
}

}  // namespace brokerlab
