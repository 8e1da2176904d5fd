#include "analysis/ledger_json.h"

#include <algorithm>

namespace brokerlab {
namespace {

Json queue_json(const QueueAccount& account, const QueueEvidence& evidence) {
  Json json = {{"queue", evidence.name},           {"copies", account.copies},
               {"deliveries", account.deliveries}, {"unique", account.unique},
               {"duplicates", account.duplicates}, {"done", account.done}};
  if (evidence.ready_at_end) json["ready_at_end"] = *evidence.ready_at_end;
  if (evidence.unacked_at_end) json["unacked_at_end"] = *evidence.unacked_at_end;
  if (account.lost) json["lost"] = *account.lost;
  if (account.dead_lettered > 0) json["dead_lettered"] = account.dead_lettered;
  if (account.moved_in > 0) json["moved_in"] = account.moved_in;
  return json;
}

Json tally_json(const OperationTally& tally) {
  return {{"invoked", tally.ok + tally.fail + tally.info},
          {"ok", tally.ok},
          {"fail", tally.fail},
          {"info", tally.info}};
}

// By the broker's own words; reasons that did not occur are left out.
Json dead_letters_json(const LedgerAccount& account) {
  Json reasons = Json::object();
  for (std::size_t i = 1; i < kDeathReasons; ++i)
    if (account.dead_letters[i] > 0)
      reasons[std::string(to_text(static_cast<DeathReason>(i)))] = account.dead_letters[i];
  return reasons;
}

Json order_json(const LedgerAccount& account, const RecordedRun& run) {
  Json list = Json::array();
  for (const OrderViolation& violation : account.order_violation_ids) {
    Json entry = message_json(violation.id, run.evidence());
    entry["consumer"] = run.consumers()[violation.consumer].name;
    entry["after"] = violation.after;
    list.push_back(std::move(entry));
  }
  return list;
}

Json strays_json(const LedgerAccount& account, const RunEvidence& evidence) {
  Json list = Json::array();
  for (const StrayKey& stray : account.stray_keys) {
    Json queues = Json::array();
    for (const std::uint32_t queue : stray.queues) queues.push_back(evidence.queues[queue].name);
    for (const auto& [place, route] : evidence.routes) {
      if (route.key != stray.key) continue;
      list.push_back({{"exchange", place.first},
                      {"routing_key", place.second},
                      {"queues", std::move(queues)},
                      {"publisher", stray.first.publisher},
                      {"sequence", stray.first.sequence}});
      break;
    }
  }
  return list;
}

// Lists are there where there is something to list; the totals beside them always are.
void add_ids(Json& json, const LedgerAccount& account, const RecordedRun& run) {
  const RunEvidence& evidence = run.evidence();
  json["lost_ids"] = messages_json(account.lost_ids, evidence);
  const auto list = [&](const char* key, Json ids) {
    if (!ids.empty()) json[key] = std::move(ids);
  };
  list("duplicated_ids", messages_json(account.duplicated_ids, evidence));
  list("recovered_ids", messages_json(account.recovered_ids, evidence));
  list("unexpected_ids", messages_json(account.unexpected_ids, evidence));
  list("corrupted_ids", messages_json(account.corrupted_ids, evidence));
  list("order_violation_ids", order_json(account, run));
  list("affinity_violation_keys", strays_json(account, evidence));
}

}  // namespace

Json message_json(const MessageId& id, const RunEvidence& evidence) {
  Json json = {{"publisher", id.publisher}, {"sequence", id.sequence}};
  if (id.queue) json["queue"] = evidence.queues[*id.queue].name;
  return json;
}

Json messages_json(const std::vector<MessageId>& ids, const RunEvidence& evidence) {
  Json list = Json::array();
  for (const MessageId& id : ids) list.push_back(message_json(id, evidence));
  return list;
}

Json ledger_json(const LedgerAccount& account, const RecordedRun& run, const ExplainedLoss& by_design) {
  const std::vector<QueueEvidence>& queues = run.evidence().queues;
  Json json = {{"published", account.published},
               {"confirmed", account.confirmed},
               {"returned", account.returned},
               {"nacked", account.nacked},
               {"unknown", account.unknown},
               {"refused", account.refused},
               {"unconfirmed_by_design", account.unconfirmed_by_design},
               {"copies", account.copies},
               {"deliveries", account.deliveries},
               {"unique", account.unique},
               {"duplicates", account.duplicates},
               {"duplicated", account.duplicated},
               {"redelivered_flag", account.redelivered_flag},
               {"done", account.done},
               {"done_again", account.done_again}};
  if (account.lost) json["lost"] = *account.lost;
  if (by_design.messages > 0) {
    json["lost_by_design"] = by_design.messages;
    json["lost_by_design_reasons"] = by_design.reasons;
  }
  if (account.outstanding > 0) json["outstanding"] = account.outstanding;
  if (account.missing_unconfirmed > 0) json["missing_unconfirmed"] = account.missing_unconfirmed;
  json["recovered"] = account.recovered;
  json["unexpected"] = account.unexpected;
  json["order_violations"] = account.order_violations;
  if (account.affinity_violations) json["affinity_violations"] = *account.affinity_violations;
  json["settled_automatically"] = account.automatic;
  json["acked"] = account.acked;
  json["acked_after_work"] = account.acked_after_work;
  json["ignored"] = account.ignored;
  json["unreadable"] = account.unreadable;
  if (account.verified) json["verified"] = *account.verified;
  if (account.corrupted) json["corrupted"] = *account.corrupted;
  json["requeued"] = account.requeued;
  json["rejected"] = account.rejected;
  json["rerouted"] = account.rerouted;
  json["foreign"] = account.foreign;
  json["unlisted"] = account.unlisted;
  // Where nothing can be dead-lettered, there is nothing to count.
  const bool possible = std::any_of(queues.begin(), queues.end(), [](const QueueEvidence& queue) {
    return queue.dead_letter_queues && !queue.dead_letter_queues->empty();
  });
  if (possible || account.dead_lettered() > 0) json["dead_lettered"] = account.dead_lettered();
  if (account.dead_lettered() > 0) json["dead_letters"] = dead_letters_json(account);
  if (account.dead_letters_from_elsewhere > 0)
    json["dead_letters_from_elsewhere"] = account.dead_letters_from_elsewhere;
  json["operations"] = {{"publish", tally_json(account.publishes)},
                        {"handle", tally_json(account.handlings)}};
  add_ids(json, account, run);
  Json per_queue = Json::array(), laws = Json::array();
  for (std::size_t i = 0; i < queues.size(); ++i)
    per_queue.push_back(queue_json(account.queues[i], queues[i]));
  for (const LedgerLaw& law : account.laws)
    laws.push_back({{"law", law.law}, {"left", law.left}, {"right", law.right}, {"ok", law.ok}});
  json["queues"] = std::move(per_queue);
  json["laws"] = std::move(laws);
  return json;
}

}  // namespace brokerlab
