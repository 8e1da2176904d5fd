#include "analysis/run_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "analysis/calibration.h"
#include "analysis/network.h"
#include "core/distribution.h"
#include "core/units.h"

namespace brokerlab {
namespace {

constexpr double kMostCpuShare = 0.8;
constexpr Nanoseconds kMostStall = 5'000'000;

// What the flags of one room are measured from.
struct Facts {
  const RecordedRun& run;
  const RunAccounts& accounts;
  const RunTiming& timing;
  const LedgerAccount& ledger;

  const RunEvidence& evidence() const { return run.evidence(); }
  bool has_load() const { return accounts.tasks() > 0; }
};

bool closed(const Json& load) {
  return load.contains("arrivals") && load.at("arrivals").is_object() &&
         load.at("arrivals").value("process", "") == "closed";
}

std::int64_t closed_loads(const RunEvidence& evidence) {
  return std::count_if(evidence.loads.begin(), evidence.loads.end(), closed);
}

// The processes' own conditions for "the generator was the bottleneck".
void check_load_processes(const Facts& facts, FlagSet& flags) {
  const auto load_ns = facts.timing.load_ns();
  for (const RecordedProcess& process : facts.run.processes()) {
    const ProcessEvidence& evidence = facts.run.evidence_of(process);
    if (!process.reader || !evidence.is_load) continue;
    const RecordingCounters& counters = process.reader->counters();
    const double cpu = static_cast<double>(counters.cpu_user_ns + counters.cpu_system_ns);
    const Nanoseconds since_start =
        facts.evidence().measure_start() - facts.evidence().t0_ns + load_ns.value_or(0);
    // Short bursts are all start-up cost; a share of a second or more says something.
    if (since_start >= kNanosecondsPerSecond && cpu > kMostCpuShare * static_cast<double>(since_start))
      flags.fail("GENERATOR_BOUND", fmt::format("{} used {:.0f} % of a core", evidence.name,
                                                100 * cpu / static_cast<double>(since_start)));
    const auto recorded = static_cast<std::int64_t>(process.reader->publishes());
    if (counters.scheduled > 0 && counters.scheduled != recorded)
      flags.fail("GENERATOR_BOUND", fmt::format("{} sent {} of {} scheduled messages", evidence.name,
                                                recorded, counters.scheduled));
  }
  if (const auto stall = facts.accounts.events().worst_load_stall; stall && *stall > kMostStall)
    flags.fail("GENERATOR_BOUND", "a load's loop stalled for " + format_duration(*stall));
}

void measure_generator(const Facts& facts, FlagSet& flags) {
  const LatencyStreams& streams = facts.timing.latency().all();
  const Histogram* delays = streams.find(LatencyStream::kSendDelay);
  if (!facts.has_load() || !delays) return;
  const Histogram* reported = streams.find(LatencyStream::kEndToEnd);
  const double median =
      reported && reported->count() > 0 ? static_cast<double>(reported->quantile(0.5)) : 0.0;
  const double threshold = std::max(flag_declaration("GENERATOR_BOUND").threshold, 0.1 * median);
  flags.measure("GENERATOR_BOUND", static_cast<double>(delays->count() > 0 ? delays->quantile(0.99) : 0),
                threshold);
  if (flags.state("GENERATOR_BOUND") == FlagState::kFail)
    flags.explain("GENERATOR_BOUND", "send_delay p99 " + format_duration(delays->quantile(0.99)));
  check_load_processes(facts, flags);
  if (const auto late = facts.timing.late_share()) flags.measure("LATE_CATCHUP", *late);
}

void measure_host(const Facts& facts, FlagSet& flags) {
  const Json& host = facts.evidence().host;
  const auto share = [&](const char* key, const char* flag) {
    if (host.contains(key) && host.at(key).is_number()) flags.measure(flag, host.at(key).get<double>());
  };
  share("steal_share", "CPU_STEAL");
  share("cpu_pressure", "CPU_PRESSURE");
  if (const auto hiccup = facts.accounts.events().worst_hiccup)
    flags.measure("HICCUP", static_cast<double>(*hiccup));
  else if (host.contains("control_thread") && host.at("control_thread") == true)
    flags.measure("HICCUP", 0);
  if (!host.contains("boot_id") || !host.at("boot_id").is_string()) return;
  std::set<std::string> domains;
  const auto domain = [](const Json& of) {
    return of.value("boot_id", "") + " " + of.value("time_namespace", "");
  };
  domains.insert(domain(host));
  for (const RecordedProcess& process : facts.run.processes())
    if (process.reader && process.reader->header().contains("boot_id"))
      domains.insert(domain(process.reader->header()));
  flags.measure("CLOCK_DOMAIN", static_cast<double>(domains.size()));
}

// By how much the mean service time exceeds what was declared, where that is one number.
std::optional<double> overshoot(const Facts& facts, const Json& spec) {
  if (!spec.contains("effort") || !spec.at("effort").is_object()) return std::nullopt;
  const Json& effort = spec.at("effort");
  if (effort.contains("from") || !effort.contains("seconds") || effort.at("seconds").is_object())
    return std::nullopt;
  const double declared_ns = number_of_seconds(effort.at("seconds")) * 1e9;
  if (declared_ns <= 0) return std::nullopt;
  const auto& roles = facts.run.roles();
  const auto role = std::find(roles.begin(), roles.end(), spec.value("role", ""));
  if (role == roles.end()) return std::nullopt;
  const RunLatency& latency = facts.timing.latency();
  const Histogram* service =
      (roles.size() > 1 ? latency.role(static_cast<std::size_t>(role - roles.begin())) : latency.all())
          .find(LatencyStream::kService);
  if (!service || service->count() == 0) return std::nullopt;
  return service->mean() / declared_ns - 1;
}

void measure_roles(const Facts& facts, FlagSet& flags) {
  std::optional<double> worst;
  std::int64_t ignored_prefetch = 0;
  for (const Json& spec : facts.evidence().roles) {
    if (const auto over = overshoot(facts, spec)) worst = std::max(worst.value_or(*over), *over);
    if (!spec.contains("consume") || !spec.at("consume").is_object()) continue;
    const Json& consume = spec.at("consume");
    if (consume.value("ack", "manual") == "auto" && consume.value("prefetch", 0) > 0) ++ignored_prefetch;
  }
  if (worst) flags.measure("EFFORT_OVERSHOOT", *worst);
  if (!facts.evidence().roles.empty())
    flags.measure("PREFETCH_IGNORED", static_cast<double>(ignored_prefetch));
  const EventTotals& events = facts.accounts.events();
  if (events.consuming > 0) flags.measure("CONSUMERS_NOT_READY", static_cast<double>(events.consuming_late));
}

void measure_connections(const Facts& facts, FlagSet& flags) {
  const auto& processes = facts.run.processes();
  const auto readable =
      std::count_if(processes.begin(), processes.end(), [](const auto& p) { return p.reader != nullptr; });
  const auto loads = std::count_if(processes.begin(), processes.end(), [&](const auto& process) {
    return process.reader && facts.run.evidence_of(process).is_load;
  });
  if (readable == 0) return;
  const EventTotals& events = facts.accounts.events();
  flags.measure("RECONNECT", static_cast<double>(events.reconnects));
  flags.measure("HEARTBEAT_CLOSE", static_cast<double>(events.heartbeat_closes));
  flags.measure("CONNECTION_BLOCKED", static_cast<double>(events.connection_blocked));
  const auto load_ns = facts.timing.load_ns();
  if (!load_ns || loads == 0 || !facts.has_load()) return;
  const double process_time = static_cast<double>(*load_ns) * static_cast<double>(loads);
  flags.measure("WRITE_BLOCKED", static_cast<double>(events.write_blocked) / process_time);
  if (closed_loads(facts.evidence()) > 0) return;  // a closed loop waits by design: CLOSED_LOOP says so
  std::size_t publishers = 0;
  for (const auto& process : processes)
    if (facts.run.evidence_of(process).is_load) publishers += process.publishers.size();
  flags.measure("CONFIRM_WINDOW_HIT", static_cast<double>(events.confirm_window) /
                                          (static_cast<double>(*load_ns) *
                                           static_cast<double>(std::max<std::size_t>(1, publishers))));
}

void measure_accounting(const Facts& facts, const ExplainedLoss& by_design, FlagSet& flags) {
  const LedgerAccount& ledger = facts.ledger;
  if (ledger.published > 0) {
    const auto broken =
        std::count_if(ledger.laws.begin(), ledger.laws.end(), [](const auto& law) { return !law.ok; });
    flags.measure("COUNTS_DONT_BALANCE", static_cast<double>(broken));
    for (const LedgerLaw& law : ledger.laws)
      if (!law.ok)
        flags.explain("COUNTS_DONT_BALANCE", fmt::format("{} ({} against {})", law.law, law.left, law.right));
    flags.measure("UNKNOWN_OUTCOME", static_cast<double>(ledger.unknown));
    flags.measure("UNROUTABLE", *unroutable_share(ledger));
  }
  if (ledger.lost && ledger.published > 0) {
    flags.measure("CONFIRMED_LOST", static_cast<double>(*ledger.lost - by_design.messages));
    if (by_design.messages > 0)
      flags.explain("CONFIRMED_LOST", fmt::format("{} more were lost by design", by_design.messages));
  }
  std::int64_t left = ledger.outstanding;
  for (const QueueEvidence& queue : facts.evidence().queues)
    if (queue.consumed) left += queue.ready_at_end.value_or(0) + queue.unacked_at_end.value_or(0);
  flags.measure("UNDRAINED", static_cast<double>(left));
  if (!facts.evidence().drained)
    flags.fail("UNDRAINED",
               facts.evidence().drain_reason.empty() ? "no full drain" : facts.evidence().drain_reason);
  if (ledger.corrupted) flags.measure("BODY_CORRUPTED", static_cast<double>(*ledger.corrupted));
  if (ledger.deliveries > 0) flags.measure("ORDER_VIOLATION", static_cast<double>(ledger.order_violations));
  if (const auto mismatch = facts.timing.little().mismatch()) flags.measure("LITTLE_MISMATCH", *mismatch);
}

// From the recorded keys where there are any. Without them the ledger can tell only as long as the membership
// stays the same.
void measure_affinity(const Facts& facts, const ShardingAccount& sharding, FlagSet& flags) {
  if (sharding.any()) {
    flags.measure("AFFINITY_VIOLATION", static_cast<double>(sharding.affinity_violations()));
  } else if (facts.ledger.affinity_violations && facts.evidence().membership.empty()) {
    flags.measure("AFFINITY_VIOLATION", static_cast<double>(*facts.ledger.affinity_violations));
  }
}

void measure_loops(const PipelineAccount& pipeline, FlagSet& flags) {
  if (!pipeline.any()) return;
  std::int64_t deliveries = 0;
  std::string named;
  for (const FeedbackLoop& loop : pipeline.loops()) {
    deliveries += loop.deliveries;
    named += (named.empty() ? "" : "; ") + to_text(loop);
  }
  flags.measure("FEEDBACK_LOOP", static_cast<double>(deliveries));
  if (!named.empty()) flags.explain("FEEDBACK_LOOP", named);
}

void measure_latency(const Facts& facts, FlagSet& flags) {
  const LatencyStreams& streams = facts.timing.latency().all();
  if (streams.find(LatencyStream::kSendDelay) || streams.find(LatencyStream::kEndToEnd)) {
    flags.measure("NEGATIVE_LATENCY", static_cast<double>(streams.negative()));
    flags.measure("HDR_OVERFLOW", static_cast<double>(streams.above_range()));
  }
  if (const Histogram* arrivals = streams.find(LatencyStream::kEndToEnd))
    flags.measure("TOO_FEW_SAMPLES", static_cast<double>(arrivals->count()));
  if (!facts.evidence().loads.empty())
    flags.measure("CLOSED_LOOP", static_cast<double>(closed_loads(facts.evidence())));
}

// How far a simulation went beyond what it was calibrated with: the figure that went furthest.
void measure_simulation(const Facts& facts, FlagSet& flags) {
  const RunEvidence& evidence = facts.evidence();
  flags.measure("SIMULATED", evidence.simulated ? 1 : 0);
  if (!evidence.simulated) return flags.explain("EXTRAPOLATED", "nothing was simulated");
  flags.explain("SIMULATED", calibration_text(evidence.calibration));
  if (!evidence.calibration.is_object()) return flags.explain("EXTRAPOLATED", "nothing was calibrated");
  double largest_body = 0;
  facts.run.each_delivery([&](std::uint32_t, std::uint32_t, const DeliveryRecord& record) {
    largest_body = std::max(largest_body, static_cast<double>(record.body_bytes));
  });
  const double rate = facts.timing.rates().value("published_per_s", 0.0);
  const Json ranges = evidence.calibration.value("ranges", Json::object());
  double furthest = 0;
  std::string named;
  const auto look = [&](const char* key, const char* what, double value) {
    const auto range = ranges.find(key);
    if (range == ranges.end() || !range->is_object()) return;
    const double most = range->value("max", 0.0);
    if (most <= 0 || value / most <= furthest) return;
    furthest = value / most;
    named = fmt::format("{} {:.6g}, calibrated up to {:.6g}", what, value, most);
  };
  look("rate_per_s", "messages per second", rate);
  look("body_bytes", "bytes of a body", largest_body);
  look("consumers", "consumers", static_cast<double>(facts.run.consumers().size()));
  look("queues", "queues", static_cast<double>(evidence.queues.size()));
  flags.measure("EXTRAPOLATED", furthest);
  flags.explain("EXTRAPOLATED", named);
}

}  // namespace

FlagSet measure_flags(const RecordedRun& run, const RunAccounts& accounts, const RunTiming& timing,
                      const SteadyPart& steady, const RoutingAccounts& routing,
                      const ExplainedLoss& by_design) {
  const Facts facts{run, accounts, timing, accounts.account()};
  FlagSet flags;
  measure_generator(facts, flags);
  measure_host(facts, flags);
  measure_roles(facts, flags);
  measure_connections(facts, flags);
  measure_accounting(facts, by_design, flags);
  measure_affinity(facts, routing.sharding, flags);
  measure_loops(routing.pipeline, flags);
  measure_latency(facts, flags);
  measure_simulation(facts, flags);
  steady.measure(flags);
  return flags;
}

}  // namespace brokerlab
