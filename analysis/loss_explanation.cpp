#include "analysis/loss_explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace brokerlab {
namespace {

const FaultEvidence* fault_on(const RunEvidence& evidence, const ProcessEvidence& process) {
  for (const FaultEvidence& fault : evidence.faults) {
    if (fault.started_ns && fault.cuts_connections() && fault.hits(process)) return &fault;
  }
  return nullptr;
}

const FaultEvidence* fault_on_broker(const RunEvidence& evidence) {
  const FaultEvidence* any = nullptr;
  for (const FaultEvidence& fault : evidence.faults) {
    if (!fault.started_ns || fault.target != "broker" || !fault.cuts_connections()) continue;
    if (fault.ends_processes()) return &fault;  // explains the most
    if (any == nullptr) any = &fault;
  }
  return any;
}

std::optional<std::string> reason_for(std::uint32_t queue, const RecordedRun& run) {
  const RunEvidence& evidence = run.evidence();
  const QueueEvidence& what = evidence.queues[queue];
  for (const FaultEvidence& fault : evidence.faults) {
    if (fault.started_ns && fault.kind == "delete-queue" && fault.target == what.name)
      return fmt::format("the declared delete-queue removed {} with all that was in it", what.name);
  }
  const FaultEvidence* broker = fault_on_broker(evidence);
  for (const RecordedConsumer& consumer : run.consumers()) {
    if (consumer.queue != queue || !consumer.automatic) continue;
    const ProcessEvidence& process = run.evidence_of(run.processes()[consumer.process]);
    const FaultEvidence* fault = fault_on(evidence, process);
    if (fault) {
      return fmt::format("automatic acknowledgement on {}: what {} had been sent was lost by the declared {}",
                         what.name, process.name, fault->kind);
    }
    if (broker) {
      return fmt::format(
          "automatic acknowledgement on {}: messages on the way were lost by the declared {} of the broker",
          what.name, broker->kind);
    }
  }
  const auto& publishers = run.publishers();
  const bool transient =
      std::none_of(publishers.begin(), publishers.end(), [](const auto& p) { return p.persistent; });
  // Quorum queues keep whatever they hold, transient messages too.
  if (broker && broker->ends_processes() && transient && !what.quorum)
    return fmt::format("transient messages in {} do not survive the declared {} of the broker", what.name,
                       broker->kind);
  if (broker && broker->ends_processes() && !what.durable)
    return fmt::format("the queue {} is not durable: the declared {} of the broker removed it", what.name,
                       broker->kind);
  // With a queue for dead letters nothing is dropped: what left one queue must come out of the other.
  const bool dropped = !what.dead_letter_queues || what.dead_letter_queues->empty();
  if (what.limited && dropped)
    return fmt::format("the arguments of {} let the broker drop messages", what.name);
  return std::nullopt;
}

}  // namespace

ExplainedLoss explain_loss(const LedgerAccount& account, const RecordedRun& run) {
  ExplainedLoss loss;
  std::int64_t in_queues = 0;
  std::optional<std::string> any;
  for (std::uint32_t queue = 0; queue < account.queues.size(); ++queue) {
    const auto reason = reason_for(queue, run);
    if (reason && !any) any = reason;
    const std::int64_t lost = account.queues[queue].lost.value_or(0);
    in_queues += lost;
    if (lost == 0 || !reason) continue;
    loss.messages += lost;
    loss.reasons.push_back(*reason);
  }
  // Messages for one of several queues that were seen on none.
  const std::int64_t nowhere = account.lost_found - in_queues;
  if (nowhere > 0 && any) {
    loss.messages += nowhere;
    if (std::find(loss.reasons.begin(), loss.reasons.end(), *any) == loss.reasons.end())
      loss.reasons.push_back(*any);
  }
  return loss;
}

}  // namespace brokerlab
