#include "analysis/recovery.h"

#include <fmt/format.h>

#include <algorithm>

namespace brokerlab {

RecoveryAccount::RecoveryAccount(const RecordedRun& run) : run_(run), entries_(run.evidence().faults.size()) {
  const auto& faults = run.evidence().faults;
  for (const RecordedConsumer& consumer : run.consumers()) {
    const ProcessEvidence& process = run.evidence_of(run.processes()[consumer.process]);
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < faults.size() && process.end == ProcessEnd::kFault; ++i) {
      if (faults[i].hits(process) && faults[i].started_ns && faults[i].ends_processes()) found = i;
    }
    if (found) entries_[*found].has_victims = true;
    fault_of_.push_back(found);
  }
}

std::optional<Nanoseconds> RecoveryAccount::killed_at(std::uint32_t consumer) const {
  const auto fault = fault_of_[consumer];
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

void RecoveryAccount::add_to_victim(Entry& entry, Nanoseconds fault_at, const DeliveryRecord& record) const {
  const auto settlement = static_cast<Settlement>(record.settlement);
  const bool unsettled = settlement == Settlement::kNone;
  if (unsettled) ++entry.unacked;
  const bool unfinished = record.done_ns == 0 && !(record.flags & (kIgnored | kUnreadable));
  if (unfinished && (unsettled || settlement == Settlement::kAutomatic)) ++entry.in_hand;
  if (record.started_ns == 0) return;
  if (record.done_ns == 0)
    entry.wasted += std::max<Nanoseconds>(0, fault_at - record.started_ns);
  else if (unsettled)  // done, but the broker never heard: somebody does it again
    entry.wasted += record.done_ns - record.started_ns;
}

void RecoveryAccount::add_delivery(std::uint32_t consumer, const DeliveryRecord& record) {
  if (entries_.empty()) return;
  if (const auto fault = fault_of_[consumer])
    add_to_victim(entries_[*fault], *run_.evidence().faults[*fault].started_ns, record);
  if (!(record.flags & kRedelivered)) return;
  const auto fault = fault_before(record.received_ns);
  if (!fault) return;
  Entry& entry = entries_[*fault];
  const Nanoseconds at = record.received_ns - *run_.evidence().faults[*fault].started_ns;
  ++entry.redelivered;
  entry.first_redelivery = std::min(entry.first_redelivery.value_or(at), at);
  entry.last_redelivery = std::max(entry.last_redelivery.value_or(at), at);
  if (record.done_ns != 0) {
    const Nanoseconds done = record.done_ns - *run_.evidence().faults[*fault].started_ns;
    entry.drained = std::max(entry.drained.value_or(done), done);
  }
}

void RecoveryAccount::add_event(const EventRecord& record) {
  if (static_cast<EventKind>(record.kind) != EventKind::kReconnect || record.ended_ns == 0) return;
  const auto fault = fault_before(record.at_ns);
  if (!fault) return;
  const Nanoseconds back = record.ended_ns - *run_.evidence().faults[*fault].started_ns;
  auto& reconnected = entries_[*fault].reconnected;
  reconnected = std::max(reconnected.value_or(back), back);
}

Json RecoveryAccount::to_json() const {
  Json list = Json::array();
  const RunEvidence& evidence = run_.evidence();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const FaultEvidence& fault = evidence.faults[i];
    if (!fault.started_ns) continue;  // the run ended before it
    const Entry& entry = entries_[i];
    Json json = {{"fault", fault.kind},
                 {"target", fault.processes.empty() ? fault.target
                                                    : fmt::format("{}", fmt::join(fault.processes, ", "))},
                 {"at_ns", *fault.started_ns - evidence.t0_ns}};
    if (fault.ended_ns) json["ended_ns"] = *fault.ended_ns - evidence.t0_ns;
    json["redelivered"] = entry.redelivered;
    if (entry.first_redelivery) json["first_redelivery_ns"] = *entry.first_redelivery;
    if (entry.last_redelivery) json["last_redelivery_ns"] = *entry.last_redelivery;
    if (entry.drained) json["drained_ns"] = *entry.drained;
    if (entry.reconnected) json["reconnected_ns"] = *entry.reconnected;
    if (entry.has_victims) {
      json["unacked"] = entry.unacked;
      json["in_hand"] = entry.in_hand;
      json["wasted_work_ns"] = entry.wasted;
    }
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace brokerlab
