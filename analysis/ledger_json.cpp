#include "analysis/ledger_json.h"

namespace brokerlab {
namespace {

Json queue_json(const QueueAccount& account, const QueueEvidence& evidence) {
  Json json = {{"queue", evidence.name},           {"copies", account.copies},
               {"deliveries", account.deliveries}, {"unique", account.unique},
               {"duplicates", account.duplicates}, {"done", account.done}};
  if (evidence.ready_at_end) json["ready_at_end"] = *evidence.ready_at_end;
  if (evidence.unacked_at_end) json["unacked_at_end"] = *evidence.unacked_at_end;
  if (account.lost) json["lost"] = *account.lost;
  return json;
}

Json lost_ids_json(const LedgerAccount& account, const std::vector<QueueEvidence>& queues) {
  Json ids = Json::array();
  for (const LostId& id : account.lost_ids) {
    Json entry = {{"publisher", id.publisher}, {"sequence", id.sequence}};
    if (id.queue) entry["queue"] = queues[*id.queue].name;
    ids.push_back(std::move(entry));
  }
  return ids;
}

}  // namespace

Json ledger_json(const LedgerAccount& account, const std::vector<QueueEvidence>& queues,
                 const ExplainedLoss& by_design) {
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
  json["requeued"] = account.requeued;
  json["rejected"] = account.rejected;
  json["rerouted"] = account.rerouted;
  json["foreign"] = account.foreign;
  json["unlisted"] = account.unlisted;
  json["lost_ids"] = lost_ids_json(account, queues);
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
