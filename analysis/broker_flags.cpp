#include "analysis/broker_flags.h"

#include <fmt/format.h>

#include <algorithm>

namespace brokerlab {
namespace {

// Cores that our own processes used on average while the run lasted.
double our_cores(const RecordedRun& run) {
  const RunEvidence& evidence = run.evidence();
  const Nanoseconds end = evidence.drain_end_ns.value_or(evidence.load_end_ns.value_or(evidence.t0_ns));
  if (end <= evidence.t0_ns) return 0;
  double cpu = 0;
  for (const RecordedProcess& process : run.processes()) {
    if (!process.reader) continue;
    const RecordingCounters& counters = process.reader->counters();
    cpu += static_cast<double>(counters.cpu_user_ns + counters.cpu_system_ns);
  }
  return cpu / static_cast<double>(end - evidence.t0_ns);
}

// Of the cores that a node may use, and of those of the host that our own processes left to all nodes of it.
void measure_cpu(const RecordedRun& run, const BrokerAccount& broker, Nanoseconds from_ns, Nanoseconds to_ns,
                 FlagSet& flags) {
  double together = 0, worst = -1;
  std::string detail;
  for (const BrokerAccount::Node& node : broker.nodes()) {
    const auto used = node.cpu_cores(from_ns, to_ns);
    if (!used) continue;
    together += *used;
    if (!node.cores || *node.cores < 1) continue;
    if (const double share = *used / static_cast<double>(*node.cores); share > worst) {
      worst = share;
      detail = fmt::format("{} used {:.2f} of {} cores", node.name, *used, *node.cores);
    }
  }
  const Json& host = run.evidence().host;
  const auto cores = host.find("cores");
  if (broker.on_this_host() && cores != host.end() && cores->is_number() && worst >= 0) {
    const auto all = cores->get<double>();
    const double ours = our_cores(run);
    const double share = together / std::max(all - ours, 0.1 * all);
    detail += fmt::format("; of {:.0f} cores of this host the broker used {:.2f}, our processes {:.2f}", all,
                          together, ours);
    worst = std::max(worst, share);
  }
  if (worst < 0) return;
  flags.measure("BROKER_CPU", worst);
  flags.explain("BROKER_CPU", detail);
}

}  // namespace

void measure_broker(const RecordedRun& run, const RunTiming& timing, const BrokerAccount& broker,
                    const DepthCheck& depths, FlagSet& flags) {
  const Nanoseconds from_ns = run.evidence().measure_start();
  const Nanoseconds to_ns = from_ns + timing.load_ns().value_or(0);
  measure_cpu(run, broker, from_ns, to_ns, flags);
  const auto measure = [&](const char* flag, std::initializer_list<const char*> figures) {
    if (const auto share = broker.share(figures, from_ns, to_ns)) flags.measure(flag, *share);
  };
  measure("BROKER_ALARM", {"memory_alarm", "disk_alarm"});
  measure("BROKER_FLOW", {"connections_in_flow", "channels_in_flow"});
  if (const auto outcome = depths.outcome()) {
    flags.measure("BROKER_DEPTH_MISMATCH", outcome->share);
    flags.explain("BROKER_DEPTH_MISMATCH", outcome->detail);
  } else if (broker.any()) {
    flags.explain("BROKER_DEPTH_MISMATCH", depths.unsound());
  }
}

}  // namespace brokerlab
