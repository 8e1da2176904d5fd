#include "analysis/summary.h"

#include <algorithm>
#include <utility>

#include "analysis/accounting.h"
#include "analysis/broker_account.h"
#include "analysis/broker_flags.h"
#include "analysis/churn.h"
#include "analysis/loss_explanation.h"
#include "analysis/network.h"
#include "analysis/pipeline.h"
#include "analysis/prediction.h"
#include "analysis/process_costs.h"
#include "analysis/run_flags.h"
#include "analysis/sharding.h"
#include "analysis/steady_part.h"
#include "analysis/timing.h"
#include "analysis/verdict.h"
#include "analysis/workload.h"

namespace brokerlab {
namespace {

Json phases_json(const RunEvidence& evidence) {
  Json json = {{"start", 0}};
  const auto set = [&](const char* name, std::optional<Nanoseconds> at) {
    if (at) json[name] = *at - evidence.t0_ns;
  };
  set("measure_start", evidence.measure_start_ns);
  set("measure_end", evidence.measure_end_ns);
  set("load_end", evidence.load_end_ns);
  set("drain_end", evidence.drain_end_ns);
  return json;
}

Json faults_json(const RunEvidence& evidence) {
  Json list = Json::array();
  for (const FaultEvidence& fault : evidence.faults) {
    Json json = {{"kind", fault.kind}, {"target", fault.target}};
    if (!fault.mode.empty()) json["mode"] = fault.mode;
    if (!fault.processes.empty()) json["processes"] = fault.processes;
    if (fault.scheduled_at_ns) json["scheduled_at_ns"] = *fault.scheduled_at_ns;
    if (fault.scheduled_end_ns) json["scheduled_end_ns"] = *fault.scheduled_end_ns;
    if (fault.started_ns) json["at_ns"] = *fault.started_ns - evidence.t0_ns;
    if (fault.ended_ns) json["ended_ns"] = *fault.ended_ns - evidence.t0_ns;
    if (!fault.not_done.empty()) json["not_done"] = fault.not_done;
    if (!fault.details.empty()) json["details"] = fault.details;
    list.push_back(std::move(json));
  }
  return list;
}

// The stages of a pipeline are its roles: a message that a role publishes is due when its work is done, so
// that the next stage counts from there.
Json latency_json(const RecordedRun& run, const RunTiming& timing, const PipelineAccount& pipeline) {
  Json json = timing.latency().to_json(run.roles());
  if (!pipeline.any()) return json;
  if (pipeline.completion() != nullptr) json["completion"] = stream_json(*pipeline.completion());
  Json stages = Json::object();
  for (std::size_t role = 0; role < run.roles().size(); ++role) {
    const Histogram* done = timing.latency().done_by(role);
    if (done != nullptr && done->count() > 0) stages[run.roles()[role]] = stream_json(*done);
  }
  if (!stages.empty()) json["stages"] = std::move(stages);
  return json;
}

Verdict verdict_of(const RecordedRun& run, const RunAccounts& accounts, const ChurnAccount& churn,
                   const FlagSet& flags) {
  VerdictInput input;
  input.drained = run.evidence().drained;
  input.drain_reason = run.evidence().drain_reason;
  input.aborted = run.evidence().aborted;
  input.stopped_by = run.evidence().stopped_by;
  for (const ProcessEvidence& process : run.evidence().processes)
    if (process.end == ProcessEnd::kDied) input.dead_processes.push_back(process.name);
  input.unreadable_recordings = run.unreadable();
  if (run.left_out())
    input.unreadable_recordings.push_back(
        "a recording holds times or numbers that cannot be; they were left out");
  input.unexpected = accounts.account().unexpected;
  const auto& faults = run.evidence().faults;
  const bool altered = std::any_of(faults.begin(), faults.end(),
                                   [](const FaultEvidence& fault) { return fault.kind == "corrupt"; });
  if (!altered) input.corrupted = accounts.account().corrupted.value_or(0);
  input.published = accounts.account().published;
  input.operations = churn.opened();
  return judge(input, flags);
}

}  // namespace

Json summarise(const Json& evidence_json, const std::filesystem::path& folder) {
  const RecordedRun run(RunEvidence::from_json(evidence_json), folder);
  const RunAccounts accounts(run);
  const BrokerAccount broker(run.evidence());
  DepthCheck depths(run, broker);
  const RunTiming timing(run, accounts, &depths);
  const SteadyPart steady(run, accounts, timing);
  const PipelineAccount pipeline(run, accounts);
  const ShardingAccount sharding(run);
  const ChurnAccount churn(run, evidence_json.value("churn", Json::array()));
  const ExplainedLoss by_design = explain_loss(accounts.account(), run);
  FlagSet flags = measure_flags(run, accounts, timing, steady, {pipeline, sharding}, by_design);
  measure_broker(run, timing, broker, depths, flags);
  const RunEvidence& evidence = run.evidence();
  // A fault may end what was open.
  if (evidence.faults.empty() && churn.unbalanced() > 0)
    flags.fail("COUNTS_DONT_BALANCE", "more was opened than closed again, or less");

  Json json = {{"variant", evidence.variant}, {"repetition", evidence.repetition}};
  if (evidence.seed) json["seed"] = *evidence.seed;
  json["aborted"] = evidence.aborted;
  if (!evidence.stopped_by.empty()) json["stopped_by"] = evidence.stopped_by;
  json["drained"] = evidence.drained;
  json["verdict"] = verdict_of(run, accounts, churn, flags).to_json();
  json["phase_ns"] = phases_json(evidence);
  json["rates"] = timing.rates();
  json["latency"] = latency_json(run, timing, pipeline);
  if (Json part = steady.to_json(); !part.is_null()) json["steady"] = std::move(part);
  if (Json growth = steady.backlog_json(); !growth.is_null()) json["backlog"] = std::move(growth);
  churn.add_latency(json["latency"]);
  if (churn.any()) json["churn"] = churn.to_json();
  if (Json requests = churn.requests(); !requests.is_null()) json["requests"] = std::move(requests);
  json["fairness"] = accounts.fairness();
  json["ledger"] = ledger_json(accounts.account(), run, by_design);
  if (sharding.any()) {
    json["sharding"] = sharding.to_json();
    json["ledger"]["affinity_violations"] = sharding.affinity_violations();
    json["ledger"].erase("affinity_violation_keys");
    if (Json keys = sharding.violating_keys(); !keys.empty())
      json["ledger"]["affinity_violation_keys"] = std::move(keys);
  } else if (!evidence.membership.empty()) {
    json["ledger"].erase("affinity_violation_keys");
    json["ledger"].erase("affinity_violations");  // the ledger knows nothing of a change of membership
  }
  json["recovery"] = accounts.recovery();
  add_backlog_recovery(json["recovery"], timing.series().backlog(), timing.series().interval());
  if (Json downtime = accounts.downtime(); !downtime.empty()) json["downtime"] = std::move(downtime);
  json["faults"] = faults_json(evidence);
  json["network"] = network_json(run, accounts);
  if (Json usage = process_costs(run); !usage.empty()) json["processes"] = std::move(usage);
  if (pipeline.any()) json["pipeline"] = pipeline.to_json(json["network"]);
  if (const auto makespan = accounts.makespan()) json["makespan_ns"] = *makespan;
  if (Json work = Workload(run, accounts).to_json(); !work.empty()) json["work"] = std::move(work);
  if (Json theory = predictions(run, accounts); !theory.empty()) json["theory"] = std::move(theory);
  json["series"] = timing.series_json();
  if (evidence.broker.is_object()) json["broker"] = broker.to_json();
  if (Json series = broker.series_json(timing.series().interval(), timing.series().span()); !series.is_null())
    json["series"]["broker"] = std::move(series);
  accounts.add_gantt(json);
  json["flags"] = flags.to_json();
  json["notices"] = evidence.notices;
  return json;
}

}  // namespace brokerlab
