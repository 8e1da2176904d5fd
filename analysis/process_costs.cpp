#include "analysis/process_costs.h"

namespace brokerlab {

Json process_costs(const RecordedRun& run) {
  Json processes = Json::array();
  for (const RecordedProcess& process : run.processes()) {
    if (!process.reader) continue;
    const RecordingCounters& counters = process.reader->counters();
    if (counters.resident_bytes <= 0) continue;
    processes.push_back(
        {{"process", run.evidence_of(process).name},
         {"instances", process.consumers.empty() ? process.publishers.size() : process.consumers.size()},
         {"cpu_ns", counters.cpu_user_ns + counters.cpu_system_ns},
         {"resident_bytes", counters.resident_bytes},
         {"messages", process.reader->publishes() + process.reader->deliveries()}});
  }
  return processes;
}

}  // namespace brokerlab
