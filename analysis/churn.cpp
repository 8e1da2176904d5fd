#include "analysis/churn.h"

#include <algorithm>

#include "analysis/latency.h"

namespace brokerlab {
namespace {

constexpr std::int64_t kOpenedPerPoint = 5, kFewestPoints = 10, kMostPoints = 100;

}  // namespace

std::int64_t ChurnAccount::Entry::left_open() const {
  std::int64_t open = 0;
  for (const auto& [kind, counts] : operations) open += opens(kind) ? counts.done : -counts.done;
  return open;
}

ChurnAccount::ChurnAccount(const RecordedRun& run, const Json& entries) {
  for (const Json& entry : entries)
    entries_.push_back({entry.at("name").get<std::string>(), {}, 0, 0, {}, {}, {}});
  run.each_event([&](const RecordedProcess& process, const EventRecord& event) {
    const auto operation = Operation::of(event);
    if (!operation) return;
    count(*operation, run.evidence_of(process).entry);
    const bool done = operation->outcome == OperationOutcome::kDone;
    if (!done || operation->intended_ns < run.evidence().measure_start()) return;
    auto& times = times_[static_cast<std::size_t>(operation->kind)];
    if (!times) times = std::make_unique<Times>();
    times->from_start.record(operation->ended_ns - operation->started_ns);
    times->from_intended.record(operation->ended_ns - operation->intended_ns);
  });
  if (any()) add_series(run);
}

ChurnAccount::Entry* ChurnAccount::find(const std::string& name) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

void ChurnAccount::count(const Operation& operation, const std::string& name) {
  if (operation.kind == OperationKind::kRequest) {
    ++requests_.begun;
    requests_.done += operation.outcome == OperationOutcome::kDone ? 1 : 0;
    return;
  }
  Entry* const found = find(name);
  if (found == nullptr) return;
  Entry& entry = *found;
  end_ns_ = std::max(end_ns_, operation.ended_ns);
  const bool done = operation.outcome == OperationOutcome::kDone;
  Counts& counts = entry.operations[operation.kind];
  ++counts.begun;
  counts.done += done ? 1 : 0;
  counts.failed += operation.outcome == OperationOutcome::kFailed ? 1 : 0;
  if (!done || !opens(operation.kind)) return;
  entry.first_ns =
      entry.first_ns == 0 ? operation.started_ns : std::min(entry.first_ns, operation.started_ns);
  entry.last_ns = std::max(entry.last_ns, operation.started_ns);
}

void ChurnAccount::add_series(const RecordedRun& run) {
  const Nanoseconds t0 = run.evidence().t0_ns;
  const Nanoseconds span = std::max<Nanoseconds>(0, end_ns_ - t0);
  // Few intervals where little was opened: a point of one or two of them would say nothing of a rate.
  std::int64_t fewest = INT64_MAX;
  for (const Entry& entry : entries_) {
    for (const auto& [kind, counts] : entry.operations)
      if (opens(kind)) fewest = std::min(fewest, counts.done);
  }
  const std::int64_t wanted = std::clamp<std::int64_t>(fewest / kOpenedPerPoint, kFewestPoints, kMostPoints);
  interval_ = SeriesBuilder::interval_for(span * (SeriesBuilder::kMostPoints / wanted));
  const auto points = static_cast<std::size_t>(span / interval_) + 1;
  for (Entry& entry : entries_) {
    entry.opened.resize(points);
    entry.closed.resize(points);
    entry.open_times.resize(points);
  }
  run.each_event([&](const RecordedProcess& process, const EventRecord& event) {
    const auto operation = Operation::of(event);
    if (!operation || operation->outcome != OperationOutcome::kDone) return;
    Entry* const entry = find(run.evidence_of(process).entry);
    if (entry == nullptr || operation->kind == OperationKind::kRequest) return;
    const auto place = [&](Nanoseconds at) {
      const auto index = static_cast<std::size_t>(std::max<Nanoseconds>(0, at - t0) / interval_);
      return std::min(index, points - 1);
    };
    const bool opening = opens(operation->kind);
    ++(opening ? entry->opened : entry->closed)[place(operation->ended_ns)];
    if (opening)
      entry->open_times[place(operation->intended_ns)].record(operation->ended_ns - operation->intended_ns);
  });
}

Json ChurnAccount::series_json(const Entry& entry) const {
  const double seconds = static_cast<double>(interval_) / 1e9;
  const auto rates = [&](const std::vector<std::int64_t>& counts) {
    Json json = Json::array();
    for (const std::int64_t count : counts) json.push_back(static_cast<double>(count) / seconds);
    return json;
  };
  Json mean = Json::array(), most = Json::array();
  for (const CoarseHistogram& times : entry.open_times) {
    mean.push_back(times.count() > 0 ? Json(times.mean()) : Json());
    most.push_back(times.count() > 0 ? Json(times.max()) : Json());
  }
  return {{"interval_ns", interval_},
          {"opened_per_s", rates(entry.opened)},
          {"closed_per_s", rates(entry.closed)},
          {"open_mean_ns", std::move(mean)},
          {"open_max_ns", std::move(most)}};
}

Json ChurnAccount::to_json() const {
  Json all = Json::array();
  for (const Entry& entry : entries_) {
    Json json = {{"name", entry.name}, {"left_open", entry.left_open()}, {"series", series_json(entry)}};
    for (const auto& [kind, counts] : entry.operations) {
      json[opens(kind) ? "open" : "close"] = {{"operation", to_text(kind)},
                                              {"begun", counts.begun},
                                              {"done", counts.done},
                                              {"failed", counts.failed},
                                              {"undecided", counts.begun - counts.done - counts.failed}};
      // So many intervals lie between the first opening and the last.
      const double seconds = static_cast<double>(entry.last_ns - entry.first_ns) / 1e9;
      if (opens(kind) && seconds > 0) json["opened_per_s"] = static_cast<double>(counts.done - 1) / seconds;
    }
    all.push_back(std::move(json));
  }
  return all;
}

Json ChurnAccount::requests() const {
  if (requests_.begun == 0) return nullptr;
  return {{"asked", requests_.begun},
          {"answered", requests_.done},
          {"unanswered", requests_.begun - requests_.done}};
}

void ChurnAccount::add_latency(Json& latency) const {
  for (std::size_t kind = 0; kind < kOperationKinds; ++kind) {
    if (!times_[kind]) continue;
    const std::string name(to_text(static_cast<OperationKind>(kind)));
    latency[name] = stream_json(times_[kind]->from_start);
    latency[name + "_from_intended"] = stream_json(times_[kind]->from_intended);
  }
}

std::int64_t ChurnAccount::opened() const {
  std::int64_t sum = 0;
  for (const Entry& entry : entries_) {
    for (const auto& [kind, counts] : entry.operations) sum += opens(kind) ? counts.done : 0;
  }
  return sum;
}

std::int64_t ChurnAccount::unbalanced() const {
  return std::count_if(entries_.begin(), entries_.end(),
                       [](const Entry& entry) { return entry.left_open() != 0; });
}

}  // namespace brokerlab
