#include "analysis/recovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/ledger_json.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kNever = INT64_MAX;

bool on_broker(const FaultEvidence& fault) { return fault.target == "broker"; }

// Whether what a consumer had not acknowledged goes back to the queue. One that stands still, or is slow or
// far away, keeps it, at least for the time being.
bool takes_back(const FaultEvidence& fault) {
  for (const char* kind : {"pause", "hang", "slow", "memory-alarm", "disk-alarm", "latency", "bandwidth",
                           "slow_close", "slicer"})
    if (fault.kind == kind) return false;
  return true;
}

void lower(std::optional<Nanoseconds>& least, Nanoseconds value) {
  least = std::min(least.value_or(value), value);
}
void raise(std::optional<Nanoseconds>& most, Nanoseconds value) {
  most = std::max(most.value_or(value), value);
}

}  // namespace

RecoveryAccount::RecoveryAccount(const RecordedRun& run)
    : run_(run), entries_(run.evidence().faults.size()), first_consuming_(run.evidence().processes.size()) {
  for (const RecordedConsumer& consumer : run.consumers()) {
    const ProcessEvidence& process = run.evidence_of(run.processes()[consumer.process]);
    hits_.push_back(hits_on(process));
    for (const Hit& hit : hits_.back()) entries_[hit.fault].has_victims = true;
    killed_by_.push_back(killer_of(process));
  }
}

// Of all faults that ended a process of this name, the n-th ended its n-th life.
std::optional<std::size_t> RecoveryAccount::killer_of(const ProcessEvidence& process) const {
  if (process.end != ProcessEnd::kFault) return std::nullopt;
  const auto& faults = run_.evidence().faults;
  std::vector<std::pair<Nanoseconds, std::size_t>> ends;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (!faults[i].started_ns || !faults[i].ends_processes() || !faults[i].hits(process)) continue;
    ends.emplace_back(*faults[i].started_ns, i);
  }
  std::sort(ends.begin(), ends.end());
  const std::size_t life = process.restarts();
  return life < ends.size() ? std::optional(ends[life].second) : std::nullopt;
}

std::vector<RecoveryAccount::Hit> RecoveryAccount::hits_on(const ProcessEvidence& process) const {
  const auto killer = killer_of(process);
  const auto& faults = run_.evidence().faults;
  std::vector<Hit> hits;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (!faults[i].started_ns) continue;
    const bool hit = on_broker(faults[i])         ? takes_back(faults[i])
                     : faults[i].ends_processes() ? killer == i
                                                  : faults[i].hits(process);
    if (hit) hits.push_back({*faults[i].started_ns, i, takes_back(faults[i])});
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.at < b.at; });
  return hits;
}

std::optional<Nanoseconds> RecoveryAccount::killed_at(std::uint32_t consumer) const {
  const auto fault = killed_by_[consumer];
  return fault ? run_.evidence().faults[*fault].started_ns : std::nullopt;
}

std::optional<std::size_t> RecoveryAccount::fault_before(Nanoseconds at) const {
  const auto& faults = run_.evidence().faults;
  std::optional<std::size_t> latest;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (!faults[i].started_ns || *faults[i].started_ns > at) continue;
    if (!latest || *faults[i].started_ns >= *faults[*latest].started_ns) latest = i;
  }
  return latest;
}

void RecoveryAccount::add_delivery(std::uint32_t consumer, std::uint32_t queue,
                                   const DeliveryRecord& record) {
  if (entries_.empty()) return;
  const bool automatic = static_cast<Settlement>(record.settlement) == Settlement::kAutomatic;
  const Nanoseconds settled = record.settled_ns != 0 && !automatic ? record.settled_ns : kNever;
  for (const Hit& hit : hits_[consumer]) {
    if (hit.at < record.received_ns) continue;
    if (hit.at >= settled) break;
    add_in_hand(hit, queue, record);
    if (hit.ending) break;
  }
  if (record.flags & kRedelivered) add_redelivery(record);
}

// A delivery that the consumer had not settled when the fault came.
void RecoveryAccount::add_in_hand(const Hit& hit, std::uint32_t queue, const DeliveryRecord& record) {
  Entry& entry = entries_[hit.fault];
  const auto settlement = static_cast<Settlement>(record.settlement);
  const bool done = record.done_ns != 0 && record.done_ns <= hit.at;
  if (settlement != Settlement::kAutomatic)
    entry.unacked.push_back({record.publisher, record.sequence, queue});
  if (!done && !(record.flags & (kIgnored | kUnreadable))) ++entry.in_hand;
  if (!hit.ending || record.started_ns == 0) return;
  if (record.done_ns == 0)
    entry.wasted += std::max<Nanoseconds>(0, hit.at - record.started_ns);
  else if (settlement == Settlement::kNone)  // done, but the broker never heard: somebody does it again
    entry.wasted += record.done_ns - record.started_ns;
}

void RecoveryAccount::add_redelivery(const DeliveryRecord& record) {
  const auto fault = fault_before(record.received_ns);
  if (!fault) return;
  Entry& entry = entries_[*fault];
  const Nanoseconds since = *run_.evidence().faults[*fault].started_ns;
  ++entry.redelivered;
  lower(entry.first_redelivery, record.received_ns - since);
  raise(entry.last_redelivery, record.received_ns - since);
  if (record.done_ns != 0) raise(entry.drained, record.done_ns - since);
}

void RecoveryAccount::add_event(const RecordedProcess& process, const EventRecord& record) {
  const auto kind = static_cast<EventKind>(record.kind);
  if (kind == EventKind::kConsuming) lower(first_consuming_[process.evidence], record.at_ns);
  if (kind != EventKind::kReconnect) return;
  // The connections of a process mostly go and come back together.
  const std::string& name = run_.evidence_of(process).name;
  const auto to = record.ended_ns != 0 ? std::optional(record.ended_ns) : std::nullopt;
  if (without_connection_.empty() || without_connection_.back().process != name ||
      (without_connection_.back().to && *without_connection_.back().to < record.at_ns)) {
    without_connection_.push_back({name, "connection", record.at_ns, to});
  } else if (auto& former = without_connection_.back().to; former) {
    former = to ? std::optional(std::max(*former, *to)) : std::nullopt;
  }
  const auto fault = fault_before(record.at_ns);
  if (fault && to) raise(entries_[*fault].reconnected, *to - *run_.evidence().faults[*fault].started_ns);
}

// A role that a fault ended is down until its next life has its consume-ok; of a load only the new start is
// known.
void RecoveryAccount::add_restarts(std::vector<Interval>& intervals) const {
  const auto& processes = run_.evidence().processes;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const auto killer = killer_of(processes[i]);
    if (!killer) continue;
    const FaultEvidence& fault = run_.evidence().faults[*killer];
    Interval interval{processes[i].name, "process", *fault.started_ns, std::nullopt};
    for (std::size_t next = 0; next < processes.size(); ++next) {
      if (processes[next].planned_name() != processes[i].planned_name()) continue;
      if (processes[next].restarts() != processes[i].restarts() + 1) continue;
      interval.to = first_consuming_[next] ? first_consuming_[next] : fault.ended_ns;
    }
    intervals.push_back(std::move(interval));
  }
}

Json RecoveryAccount::downtime_json() const {
  std::vector<Interval> intervals = without_connection_;
  add_restarts(intervals);
  std::stable_sort(intervals.begin(), intervals.end(),
                   [](const Interval& a, const Interval& b) { return a.from < b.from; });
  Json list = Json::array();
  for (const Interval& interval : intervals) {
    if (list.size() == kIntervalsListed) break;
    Json json = {{"process", interval.process},
                 {"cause", interval.cause},
                 {"from_ns", interval.from - run_.evidence().t0_ns}};
    if (interval.to) json["to_ns"] = *interval.to - run_.evidence().t0_ns;
    list.push_back(std::move(json));
  }
  return list;
}

Json RecoveryAccount::entry_json(std::size_t index, const Ledger& ledger) const {
  const RunEvidence& evidence = run_.evidence();
  const FaultEvidence& fault = evidence.faults[index];
  const Entry& entry = entries_[index];
  const std::string hit = fmt::format("{}", fmt::join(fault.processes, ", "));
  Json json = {{"fault", fault.kind},
               {"target", fault.processes.empty() ? fault.target : hit},
               {"at_ns", *fault.started_ns - evidence.t0_ns}};
  if (fault.ended_ns) json["ended_ns"] = *fault.ended_ns - evidence.t0_ns;
  json["redelivered"] = entry.redelivered;
  if (entry.first_redelivery) json["first_redelivery_ns"] = *entry.first_redelivery;
  if (entry.last_redelivery) json["last_redelivery_ns"] = *entry.last_redelivery;
  if (entry.drained) json["drained_ns"] = *entry.drained;
  if (entry.reconnected) json["reconnected_ns"] = *entry.reconnected;
  if (!entry.has_victims) return json;
  std::vector<MessageId> ids;
  std::int64_t again = 0;
  for (const Copy& copy : entry.unacked) {
    if (ids.size() < LedgerAccount::kIdsListed) ids.push_back({copy.publisher, copy.sequence, copy.queue});
    again += ledger.delivered_again(copy.publisher, copy.sequence, copy.queue);
  }
  json["unacked"] = entry.unacked.size();
  json["unacked_redelivered"] = again;
  if (!ids.empty()) json["unacked_ids"] = messages_json(ids, evidence);
  json["in_hand"] = entry.in_hand;
  json["wasted_work_ns"] = entry.wasted;
  return json;
}

Json RecoveryAccount::to_json(const Ledger& ledger) const {
  Json list = Json::array();
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (run_.evidence().faults[i].started_ns) list.push_back(entry_json(i, ledger));  // else it never began
  return list;
}

void add_backlog_recovery(Json& recovery, const std::vector<double>& backlog, Nanoseconds interval) {
  for (Json& entry : recovery) {
    const auto at = entry.at("at_ns").get<Nanoseconds>();
    const Nanoseconds ended = std::max(at, entry.value("ended_ns", at));
    const auto first = static_cast<std::size_t>(std::max<Nanoseconds>(0, at) / interval);
    const auto last = static_cast<std::size_t>(ended / interval);
    if (last >= backlog.size()) continue;
    const double before = first == 0 ? 0 : backlog[first - 1];
    const auto begin = backlog.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = backlog.begin() + static_cast<std::ptrdiff_t>(last);
    const auto highest = std::max_element(begin, backlog.end());
    if (*highest <= before) continue;
    const auto back =
        std::find_if(std::max(end, begin), backlog.end(), [&](double value) { return value <= before; });
    if (back == backlog.end()) continue;
    const Nanoseconds when = ((back - backlog.begin()) + 1) * interval;
    // What another fault has a part in is nobody's recovery.
    const bool disturbed = std::any_of(recovery.begin(), recovery.end(), [&](const Json& other) {
      const auto other_at = other.at("at_ns").get<Nanoseconds>();
      return other_at > at && other_at < when;
    });
    if (!disturbed) entry["backlog_back_ns"] = when - at;
  }
}

}  // namespace brokerlab
