#include "analysis/evidence.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/json_fields.h"

namespace brokerlab {
namespace {

bool truth(const Json& object, const char* key, bool otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() ? found->get<bool>() : otherwise;
}

const Json& list(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kNone;
}

ProcessEnd process_end(const std::string& text) {
  if (text == "normal") return ProcessEnd::kNormal;
  if (text == "fault") return ProcessEnd::kFault;
  if (text == "aborted") return ProcessEnd::kAborted;
  return ProcessEnd::kDied;
}

std::size_t spec_index(const std::vector<Json>& specs, const char* key, const std::string& entry) {
  for (std::size_t i = 0; i < specs.size(); ++i)
    if (known_text(specs[i], key) == entry) return i;
  return SIZE_MAX;
}

ProcessEvidence process_evidence(const Json& json, const RunEvidence& run) {
  ProcessEvidence process;
  process.name = known_text(json, "name");
  process.is_load = known_text(json, "kind") == "load";
  process.entry = known_text(json, "entry").empty() ? process.name : known_text(json, "entry");
  process.recording = known_text(json, "recording");
  process.end = process_end(known_text(json, "ended_by"));
  process.spec = process.is_load ? spec_index(run.loads, "name", process.entry)
                                 : spec_index(run.roles, "role", process.entry);
  return process;
}

bool may_drop(const Json& queue) {
  const auto arguments = queue.find("arguments");
  if (arguments == queue.end() || !arguments->is_object()) return false;
  for (const char* key :
       {"x-message-ttl", "x-max-length", "x-max-length-bytes", "x-expires", "x-delivery-limit"})
    if (arguments->contains(key)) return true;
  return false;
}

bool is_quorum(const Json& queue) {
  const auto arguments = queue.find("arguments");
  return arguments != queue.end() && arguments->is_object() &&
         known_text(*arguments, "x-queue-type") == "quorum";
}

QueueEvidence queue_evidence(const Json& json) {
  QueueEvidence queue;
  queue.name = known_text(json, "name");
  queue.consumed = truth(json, "consumed", true);
  queue.durable = truth(json, "durable", true);
  queue.quorum = is_quorum(json);
  queue.limited = may_drop(json);
  queue.ready_at_start = known_number<std::int64_t>(json, "ready_at_start");
  queue.ready_at_end = known_number<std::int64_t>(json, "ready_at_end");
  queue.unacked_at_end = known_number<std::int64_t>(json, "unacked_at_end");
  return queue;
}

FaultEvidence fault_evidence(const Json& json) {
  FaultEvidence fault;
  fault.kind = known_text(json, "kind");
  fault.target = known_text(json, "target");
  fault.mode = known_text(json, "mode");
  for (const Json& process : list(json, "processes"))
    if (process.is_string()) fault.processes.push_back(process.get<std::string>());
  if (fault.processes.empty() && !known_text(json, "process").empty())
    fault.processes.push_back(known_text(json, "process"));
  fault.scheduled_at_ns = known_number<Nanoseconds>(json, "scheduled_at_ns");
  fault.scheduled_end_ns = known_number<Nanoseconds>(json, "scheduled_end_ns");
  fault.started_ns = known_number<Nanoseconds>(json, "started_ns");
  fault.ended_ns = known_number<Nanoseconds>(json, "ended_ns");
  fault.not_done = known_text(json, "not_done");
  if (const auto details = json.find("details"); details != json.end() && details->is_object())
    fault.details = *details;
  return fault;
}

// Once all queues are listed: dead letter queues are among them, or are added.
void read_dead_letter_queues(const Json& json, RunEvidence& run) {
  for (const Json& entry : list(json, "queues")) {
    if (!entry.contains("dead_letter_queues") || !entry.at("dead_letter_queues").is_array()) continue;
    std::vector<std::uint32_t> queues;
    for (const Json& name : list(entry, "dead_letter_queues"))
      if (name.is_string()) queues.push_back(run.queue_index(name.get<std::string>()));
    run.queues[run.queue_index(known_text(entry, "name"))].dead_letter_queues = std::move(queues);
  }
}

void read_routes(const Json& json, RunEvidence& run) {
  for (const Json& entry : list(json, "routes")) {
    RouteEvidence route;
    const std::string delivery = known_text(entry, "delivery");
    route.delivery = delivery == "all"      ? RouteDelivery::kAll
                     : delivery == "one_of" ? RouteDelivery::kOneOf
                                            : RouteDelivery::kUnknown;
    for (const Json& queue : list(entry, "queues")) {
      const std::uint32_t index = run.queue_index(queue.get<std::string>());
      // Two matching bindings of one queue still make one copy.
      if (std::find(route.queues.begin(), route.queues.end(), index) == route.queues.end())
        route.queues.push_back(index);
    }
    const auto key = entry.find("routing_key");
    if (key != entry.end() && key->is_string()) {
      route.key = static_cast<std::uint32_t>(run.routes.size());
      run.routes[{known_text(entry, "exchange"), key->get<std::string>()}] = std::move(route);
    } else {
      run.other_keys[known_text(entry, "exchange")] = std::move(route);
    }
  }
}

MembershipChange membership_change(const Json& json, RunEvidence& run) {
  MembershipChange change;
  change.exchange = known_text(json, "exchange");
  change.queue = run.queue_index(known_text(json, "queue"));
  change.join = known_text(json, "change") != "leave";
  change.at_ns = known_number<Nanoseconds>(json, "at_ns").value_or(run.t0_ns);
  if (const auto scheduled = known_number<Nanoseconds>(json, "scheduled_at_ns"))
    change.asked_ns = std::min(run.t0_ns + *scheduled, change.at_ns);
  for (const Json& queue : list(json, "members_before"))
    if (queue.is_string()) change.members_before.push_back(run.queue_index(queue.get<std::string>()));
  return change;
}

void read_phases(const Json& json, RunEvidence& run) {
  const auto phases = json.find("phases");
  if (phases == json.end() || !phases->is_object()) return;
  // A phase that was never reached may be written as null or as 0.
  const auto reached = [&](const char* key) {
    const auto at = known_number<Nanoseconds>(*phases, key);
    return at && *at >= run.t0_ns ? at : std::nullopt;
  };
  run.measure_start_ns = reached("measure_start_ns");
  run.measure_end_ns = reached("measure_end_ns");
  run.load_end_ns = reached("load_end_ns");
  run.drain_end_ns = reached("drain_end_ns");
}

}  // namespace

bool FaultEvidence::hits(const ProcessEvidence& process) const {
  if (processes.empty()) return target == process.entry;
  return std::any_of(processes.begin(), processes.end(), [&](const std::string& name) {
    return name == process.name || name == process.planned_name();
  });
}

std::string_view ProcessEvidence::planned_name() const {
  const std::string_view whole = name;
  const std::size_t digits = whole.find_last_not_of("0123456789") + 1;
  const bool restarted = digits >= 2 && digits < whole.size() && whole.substr(digits - 2, 2) == "-r";
  return restarted ? whole.substr(0, digits - 2) : whole;
}

std::size_t ProcessEvidence::restarts() const {
  const std::string_view planned = planned_name();
  if (planned.size() == name.size()) return 0;
  return static_cast<std::size_t>(std::strtoul(name.c_str() + planned.size() + 2, nullptr, 10));
}

RunEvidence RunEvidence::from_json(const Json& json) {
  const auto t0 = json.is_object() ? known_number<Nanoseconds>(json, "t0_ns") : std::nullopt;
  if (!t0 || !json.contains("processes"))
    throw Error("this is no evidence of a run: t0_ns or processes is missing", "evidence",
                "run the experiment again; the runner writes one evidence file per run");
  RunEvidence run;
  run.variant = known_text(json, "variant");
  run.repetition = known_number<std::int64_t>(json, "repetition").value_or(0);
  run.seed = known_number<std::uint64_t>(json, "seed");
  run.t0_ns = *t0;
  read_phases(json, run);
  for (const Json& spec : list(json, "loads")) run.loads.push_back(spec);
  for (const Json& spec : list(json, "roles")) run.roles.push_back(spec);
  for (const Json& process : list(json, "processes")) run.processes.push_back(process_evidence(process, run));
  for (const Json& queue : list(json, "queues")) run.queues.push_back(queue_evidence(queue));
  read_dead_letter_queues(json, run);
  read_routes(json, run);
  run.drained = truth(json, "drained", false);
  run.drain_reason = known_text(json, "drain_reason");
  run.aborted = truth(json, "aborted", false);
  run.stopped_by = known_text(json, "stopped_by");
  run.simulated = truth(json, "simulated", false);
  run.calibration = json.value("calibration", Json());
  for (const Json& fault : list(json, "faults")) run.faults.push_back(fault_evidence(fault));
  for (const Json& change : list(json, "membership"))
    run.membership.push_back(membership_change(change, run));
  if (json.contains("host") && json.at("host").is_object()) run.host = json.at("host");
  run.broker = json.value("broker", Json());
  for (const Json& notice : list(json, "notices"))
    if (notice.is_string()) run.notices.push_back(notice.get<std::string>());
  return run;
}

std::uint32_t RunEvidence::queue_index(const std::string& name) {
  for (; indexed_queues_ < queues.size(); ++indexed_queues_)
    queue_indices_.try_emplace(queues[indexed_queues_].name, indexed_queues_);
  const auto [found, added] = queue_indices_.try_emplace(name, indexed_queues_);
  if (added) {
    QueueEvidence queue;
    queue.name = name;
    queues.push_back(std::move(queue));
    ++indexed_queues_;
  }
  return found->second;
}

}  // namespace brokerlab
