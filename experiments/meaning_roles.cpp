#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/distribution.h"
#include "core/error.h"
#include "core/profile.h"
#include "experiments/meaning.h"
#include "roles/behaviour.h"
#include "roles/role_spec.h"

namespace brokerlab {
namespace {

void check_queue(const Json& role, const Json& topology, const JsonPointer& at, const DeclaredNames& names,
                 Findings& findings) {
  const std::string queue = text_at(member(role, "consume"), "queue");
  if (queue.empty()) return;
  std::set<std::string> consumed;
  for (std::int64_t i = 0; i < whole_at(role, "instances"); ++i) {
    const std::string name = queue_of_instance(topology, queue, i);
    if (!names.queues.contains(name)) {
      const std::string whose = name == queue ? "" : " (instance " + std::to_string(i) + ")";
      return findings.error(at / "consume" / "queue", "queue \"" + name + "\"" + whose + " is not declared",
                            suggestion(name, names.queue_suggestions));
    }
    if (!consumed.insert(name).second && member(member(role, "consume"), "exclusive") == Json(true)) {
      return findings.error(at / "consume" / "exclusive",
                            "only one consumer can have \"" + name + "\" for itself",
                            "one instance, or a queue for each by {i}");
    }
  }
}

// The connection of an instance, among all of its role.
std::pair<std::int64_t, std::int64_t> connection_of(const Json& role, std::int64_t index) {
  const std::int64_t instances = std::max<std::int64_t>(whole_at(role, "instances"), 1);
  const std::int64_t processes = std::clamp<std::int64_t>(whole_at(role, "processes"), 1, instances);
  const std::int64_t shared = std::max<std::int64_t>(whole_at(role, "channels_per_connection"), 1);
  std::int64_t process = index * processes / instances;
  while (instances * (process + 1) / processes <= index) ++process;
  while (instances * process / processes > index) --process;
  return {process, (index - instances * process / processes) / shared};
}

// An exclusive queue is declared by the connection that consumes it, and by no other.
void check_exclusive_queues(const Json& experiment, const DeclaredNames& names, Findings& findings) {
  const Json& topology = member(experiment, "topology");
  const Json& queues = list_at(topology, "queues");
  std::map<std::string, std::string> owners;  // of exclusive queues: role and connection
  for (const auto& [name, entry] : names.queues) {
    const bool exclusive = member(queues[entry], "exclusive") == Json(true);
    if (exclusive && member(queues[entry], "predeclared") != Json(true)) owners[name] = "";
  }
  if (owners.empty()) return;
  const Json& roles = list_at(experiment, "roles");
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const std::string queue = text_at(member(roles[i], "consume"), "queue");
    for (std::int64_t index = 0; index < whole_at(roles[i], "instances"); ++index) {
      const auto owner = owners.find(queue_of_instance(topology, queue, index));
      if (owner == owners.end()) continue;
      const auto [process, connection] = connection_of(roles[i], index);
      const std::string who =
          std::to_string(i) + "." + std::to_string(process) + "." + std::to_string(connection);
      if (owner->second.empty()) owner->second = who;
      if (owner->second == who) continue;
      return findings.error(JsonPointer("/roles") / i / "consume" / "queue",
                            "exclusive queue \"" + owner->first + "\" would have two connections",
                            "one process and \"channels_per_connection\", or a queue for each by {i}");
    }
  }
  for (const auto& [name, owner] : owners) {
    if (!owner.empty()) continue;
    return findings.error(
        JsonPointer("/topology/queues") / names.queues.at(name) / "exclusive",
        "an exclusive queue belongs to the connection that consumes it, and nobody consumes \"" + name + "\"",
        "add a role, or remove it");
  }
}

// n of "multiple(n)"; 0 otherwise.
std::int64_t multiple_of(const std::string& ack) {
  constexpr std::string_view kPrefix = "multiple(";
  constexpr std::size_t kMostDigits = 9;
  if (!ack.starts_with(kPrefix) || ack.size() > kPrefix.size() + kMostDigits) return 0;
  return std::atoll(ack.c_str() + kPrefix.size());
}

void check_acknowledgement(const Json& role, const JsonPointer& at, Findings& findings) {
  const Json& consume = member(role, "consume");
  const std::string ack = text_at(consume, "ack");
  const std::int64_t prefetch = whole_at(consume, "prefetch");
  if (ack == "auto" && prefetch > 0) {
    findings.warning(at / "consume" / "prefetch",
                     "the broker ignores the prefetch limit with automatic acknowledgement",
                     "set ack to \"manual\", or remove the limit", "PREFETCH_IGNORED");
  }
  if (prefetch > 0 && multiple_of(ack) > prefetch) {
    findings.error(at / "consume" / "ack",
                   ack + " never comes about with a prefetch limit of " + std::to_string(prefetch),
                   "a limit of at least " + std::to_string(multiple_of(ack)));
  }
}

void check_transaction(const Json& role, const JsonPointer& at, Findings& findings) {
  const Json& consume = member(role, "consume");
  if (!consume.contains("transaction")) return;
  if (text_at(consume, "ack") == "auto") {
    findings.error(at / "consume" / "transaction", "automatic acknowledgement leaves nothing to commit",
                   "set ack to \"manual\"");
  }
  if (role.contains("publish") || role.contains("outputs")) {
    findings.error(at / "consume" / "transaction",
                   "a role that publishes has confirms on its channel, which cannot have transactions, too",
                   "leave one of them out");
  }
}

void check_settle(const Json& role, const JsonPointer& at, Findings& findings) {
  const Json& settle = member(role, "settle");
  if (!settle.is_object()) return;
  const auto share = [&](const char* key) {
    return member(settle, key).is_number() ? settle[key].get<double>() : 0.0;
  };
  if (share("nack") + share("requeue") > 1) {
    findings.error(at / "settle", "more than all messages", "shares whose sum is at most 1");
  }
  if (text_at(member(role, "consume"), "ack") == "auto") {
    findings.error(at / "settle", "with automatic acknowledgement nothing is left to refuse",
                   "set ack to \"manual\"");
  }
}

void check_effort(const Json& role, const JsonPointer& at, Findings& findings) {
  const Json& effort = member(role, "effort");
  const std::string kind = text_at(effort, "kind");
  const bool has_seconds = effort.contains("seconds"), has_from = effort.contains("from");
  if (kind == "none" && (has_seconds || has_from)) {
    findings.error(at, "an effort of kind none takes no time", "set kind to \"sleep\" or \"spin\"");
  }
  if ((kind == "sleep" || kind == "spin") && has_seconds == has_from) {
    findings.error(at, "exactly one of \"seconds\" and \"from\" is wanted",
                   "how long each message takes, or where in the message it stands");
  }
  if (!has_seconds || !findings.clean(at)) return;
  try {
    const Json& seconds = effort["seconds"];
    if (seconds.is_object() && seconds.contains("profile")) {
      Profile::from_json(seconds["profile"], number_of_seconds);
    } else {
      Distribution::from_json(seconds, number_of_seconds);
    }
  } catch (const Error& error) {
    findings.error(at / "seconds", error.summary(), error.remedy());
  }
}

void check_conditions(const Json& role, const JsonPointer& at, Findings& findings) {
  const Json& when = member(role, "when");
  if (!when.is_object()) return;
  for (const auto& [key, unused] : when.items()) {
    if (key.empty() || key.front() == '/') continue;
    findings.error(at / "when" / key, "\"" + key + "\" is no JSON pointer", "write \"/" + key + "\"");
  }
}

void check_output(const Json& output, const JsonPointer& at, const DeclaredNames& names, Findings& findings) {
  const std::string exchange = text_at(output, "exchange");
  const std::string key = text_at(output, "routing_key");
  if (member(output, "reply") == Json(true)) {
    if (!exchange.empty() || !key.empty()) {
      findings.error(at / "reply", "a reply goes where the message says, by the default exchange",
                     "leave \"exchange\" and \"routing_key\" out");
    }
    return;
  }
  if (exchange.empty() && output.contains("routing_key") && !names.queues.contains(key)) {
    findings.warning(at / "routing_key", "the default exchange has no queue \"" + key + "\": nothing arrives",
                     suggestion(key, names.queue_suggestions), "UNROUTABLE");
  }
  if (exchange.empty() || names.exchange_types.contains(exchange)) return;
  findings.error(at / "exchange", "exchange \"" + exchange + "\" is not declared",
                 suggestion(exchange, names.exchanges));
}

void check_onward(const Json& role, const JsonPointer& at, const DeclaredNames& names, Findings& findings) {
  const Json& publish = member(role, "publish");
  if (publish.is_object()) check_output(publish, at / "publish", names, findings);
  if (!publish.is_object() && !member(role, "set").empty()) {
    findings.error(at / "set", "the patched body goes nowhere", "add \"publish\"");
  }
  const Json& outputs = member(role, "outputs");
  if (!outputs.is_object()) return;
  for (const auto& [name, output] : outputs.items())
    check_output(output, at / "outputs" / name, names, findings);
}

// A behaviour is made as its process will make it, the files of its settings included.
void check_behaviour(const Json& role, const JsonPointer& at, const std::filesystem::path& directory,
                     Findings& findings) {
  try {
    const RoleSpec spec = RoleSpec::from_json(role);
    make_behaviour({spec, spec.role, directory});
  } catch (const Error& error) {
    const std::string place = error.where().empty() ? "" : " (" + error.where() + ")";
    findings.error(at, error.summary() + place, error.remedy());
  }
}

}  // namespace

void check_roles(const Json& experiment, const DeclaredNames& names, const std::filesystem::path& directory,
                 Findings& findings) {
  check_exclusive_queues(experiment, names, findings);
  const Json& roles = list_at(experiment, "roles");
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const JsonPointer at = JsonPointer("/roles") / i;
    const Json& role = roles[i];
    if (!role.is_object()) continue;
    check_queue(role, member(experiment, "topology"), at, names, findings);
    check_acknowledgement(role, at, findings);
    check_transaction(role, at, findings);
    check_settle(role, at, findings);
    check_effort(role, at / "effort", findings);
    check_conditions(role, at, findings);
    check_onward(role, at, names, findings);
    if (whole_at(role, "processes") > whole_at(role, "instances")) {
      findings.error(at / "processes", "more processes than instances", "raise \"instances\"");
    }
    if (findings.clean(at)) check_behaviour(role, at, directory, findings);
  }
}

}  // namespace brokerlab
