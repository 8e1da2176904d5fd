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

Error RunProcess::failure() const {
  if (error) {
    return {name + ": " + error->value("what", ""), error->value("where", ""), error->value("remedy", "")};
  }
  const std::string words = child ? child->last_words() : std::string();
  const std::string how = exit.signal != 0 ? "by signal " + std::to_string(exit.signal)
                                           : "with status " + std::to_string(exit.status);
  return {"process " + name + " ended " + how + (words.empty() ? "" : ": " + words), name,
          "look at its log in the run's folder"};
}

double done_share(const PlannedRun& plan, const std::vector<std::unique_ptr<RunProcess>>& processes,
                  Nanoseconds elapsed_ns) {
  const auto load_ns = static_cast<double>(plan.phases.load_ns());
  const double by_time = load_ns > 0 ? static_cast<double>(elapsed_ns) / load_ns : 0;
  std::uint64_t planned = 0;
  for (const PlannedMessages& load : plan.messages) {
    if (!load.messages) return std::clamp(by_time, 0.0, 1.0);
    planned += *load.messages;
  }
  std::int64_t published = 0;
  for (const auto& process : processes)
    if (process->is_load()) published += process->figure("published");
  const double by_count =
      planned == 0 ? by_time : static_cast<double>(published) / static_cast<double>(planned);
  return std::clamp(by_count, 0.0, 1.0);
}

LiveCounts counts_of(const std::vector<std::unique_ptr<RunProcess>>& processes) {
  LiveCounts counts;
  for (const auto& process : processes) {
    const auto add = [&](std::int64_t LiveCounts::*count, const char* figure) {
      counts.*count += process->figure(figure);
    };
    if (process->is_load()) {
      add(&LiveCounts::published, "published");
      add(&LiveCounts::confirmed, "confirmed");
    }
    add(&LiveCounts::published_by_all, "published");
    add(&LiveCounts::confirmed_by_all, "confirmed");
    add(&LiveCounts::returned, "returned");
    add(&LiveCounts::nacked, "nacked");
    add(&LiveCounts::received, "received");
    add(&LiveCounts::done, "done");
    add(&LiveCounts::redelivered, "redelivered");
    add(&LiveCounts::ignored, "ignored");
    add(&LiveCounts::unreadable, "unreadable");
    add(&LiveCounts::corrupted, "corrupted");
  }
  return counts;
}

std::vector<ProgressRow> ProgressTable::rows(const std::vector<std::unique_ptr<RunProcess>>& processes,
                                             Nanoseconds now) {
  std::vector<ProgressRow> rows;
  Moment moment{now, {}};
  for (const auto& process : processes) {
    auto row = std::find_if(rows.begin(), rows.end(), [&](const ProgressRow& candidate) {
      return candidate.name == process->planned->entry;
    });
    if (row == rows.end()) {
      rows.push_back({});
      row = rows.end() - 1;
      row->name = process->planned->entry;
      row->is_load = process->is_load();
      row->instances = process->planned->instances_total;
    }
    const bool load = process->is_load();
    row->processes += 1;
    row->processes_alive += process->alive() ? 1 : 0;
    row->is_churn = process->is_churn();
    row->messages += process->figure(row->is_churn ? "opened" : load ? "published" : "done");
    row->settled += process->figure(row->is_churn ? "closed" : load ? "confirmed" : "received");
    for (const char* figure : {"returned", "nacked", "redelivered", "failed"})
      row->trouble += process->figure(figure);
    row->waiting += process->figure(row->is_churn ? "open" : load ? "unsettled" : "in_hand");
    row->resident_bytes += process->figure("rss_bytes");
    row->blocked |= process->alive() && (process->progress.value("blocked", false) ||
                                         !process->progress.value("connected", true));
    moment.rows[row->name].messages = row->messages;
    moment.rows[row->name].cpu_ns += process->figure("cpu_ns");
  }
  add_rates(rows, std::move(moment));
  return rows;
}

void ProgressTable::add_rates(std::vector<ProgressRow>& rows, Moment now) {
  while (moments_.size() > 1 && now.at_ns - moments_.front().at_ns > kRateWindow) moments_.pop_front();
  for (ProgressRow& row : rows) {
    if (moments_.empty() || !moments_.front().rows.contains(row.name)) continue;
    const Figures& before = moments_.front().rows.at(row.name);
    const Figures& figures = now.rows.at(row.name);
    const double seconds = static_cast<double>(now.at_ns - moments_.front().at_ns) / kNanosecondsPerSecond;
    if (seconds <= 0) continue;
    row.per_second = static_cast<double>(figures.messages - before.messages) / seconds;
    row.cpu_share = static_cast<double>(figures.cpu_ns - before.cpu_ns) / 1e9 / seconds;
  }
  moments_.push_back(std::move(now));
}

}  // namespace brokerlab
