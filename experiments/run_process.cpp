#include "experiments/run_process.h"

#include <algorithm>

#include "experiments/run_observer.h"

namespace brokerlab {

std::int64_t RunProcess::figure(const char* key) const {
  const auto found = progress.find(key);
  return found != progress.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}

std::string RunProcess::ended_by() const {
  if (done && exit.status == 0 && exit.signal == 0) return "normal";
  if (hit_by_fault) return "fault";
  return ended_by_us ? "aborted" : "died";
}

std::vector<ProgressRow> ProgressTable::rows(const std::vector<std::unique_ptr<RunProcess>>& processes,
                                             Nanoseconds now) {
  std::vector<ProgressRow> rows;
  std::vector<std::int64_t> cpu_ns;
  for (const auto& process : processes) {
    auto row = std::find_if(rows.begin(), rows.end(), [&](const ProgressRow& candidate) {
      return candidate.name == process->planned->entry;
    });
    if (row == rows.end()) {
      rows.push_back({});
      cpu_ns.push_back(0);
      row = rows.end() - 1;
      row->name = process->planned->entry;
      row->is_load = process->is_load();
      row->instances = process->planned->instances_total;
    }
    const bool load = process->is_load();
    row->processes += 1;
    row->processes_alive += process->alive() ? 1 : 0;
    row->messages += process->figure(load ? "published" : "done");
    row->settled += process->figure(load ? "confirmed" : "received");
    row->trouble +=
        load ? process->figure("returned") + process->figure("nacked") : process->figure("redelivered");
    row->waiting += process->figure(load ? "unsettled" : "in_hand");
    row->resident_bytes += process->figure("rss_bytes");
    row->blocked |= process->progress.value("blocked", false) || !process->progress.value("connected", true);
    cpu_ns[static_cast<std::size_t>(row - rows.begin())] += process->figure("cpu_ns");
  }
  const double seconds = at_ns_ == 0 ? 0 : static_cast<double>(now - at_ns_) / kNanosecondsPerSecond;
  std::vector<std::pair<std::string, Previous>> current;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto before = std::find_if(previous_.begin(), previous_.end(),
                                     [&](const auto& candidate) { return candidate.first == rows[i].name; });
    if (before != previous_.end() && seconds > 0) {
      rows[i].per_second = static_cast<double>(rows[i].messages - before->second.messages) / seconds;
      rows[i].cpu_share = static_cast<double>(cpu_ns[i] - before->second.cpu_ns) / 1e9 / seconds;
    }
    current.emplace_back(rows[i].name, Previous{rows[i].messages, cpu_ns[i]});
  }
  previous_ = std::move(current);
  at_ns_ = now;
  return rows;
}

}  // namespace brokerlab
