// What the analysis of ten million messages costs: the ledger alone, and a whole summary from recordings on
// disk.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "analysis/ledger.h"
#include "analysis/summary.h"
#include "bench/counted.h"

namespace brokerlab {
namespace {

constexpr std::uint32_t kMessages = 10'000'000;
constexpr double kMegabyte = 1e6;

// The most memory of this process since the last call of forget_peak(), in bytes.
double peak() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return 1024 * std::stod(line.substr(6));
  return 0;
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

PublishRecord publish(std::uint32_t sequence) {
  const Nanoseconds at = 1'000'000 + sequence * Nanoseconds{1000};
  return {at, at, at + 500, sequence, 0, 0, kConfirmed};
}

DeliveryRecord delivery(std::uint32_t sequence) {
  DeliveryRecord record{};
  const Nanoseconds at = 1'000'000 + sequence * Nanoseconds{1000};
  record.intended_ns = record.sent_ns = at;
  record.received_ns = record.started_ns = record.done_ns = at + 600;
  record.settled_ns = at + 700;
  record.sequence = sequence;
  record.settlement = static_cast<std::uint8_t>(Settlement::kAcked);
  return record;
}

// A message through the ledger: published, confirmed, delivered once, acknowledged.
void LedgerMessage(benchmark::State& state) {
  QueueEvidence queue;
  queue.name = "tasks";
  queue.ready_at_end = 0;
  Ledger ledger({queue}, true);
  ledger.declare_publisher(0, {{0, RouteDelivery::kAll, {0}}}, {}, true);
  std::uint32_t sequence = 0;
  for (auto _ : state) {
    ledger.add_publish(0, publish(sequence));
    ledger.add_delivery(delivery(sequence), sequence % 4, 0);
    ++sequence;
  }
  const LedgerAccount account = ledger.finish();
  if (account.lost != 0 || account.unique != sequence) state.SkipWithError("the account is wrong");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(LedgerMessage)->Iterations(1'000'000)->Apply(counted);

void LedgerOfTenMillion(benchmark::State& state) {
  QueueEvidence queue;
  queue.name = "tasks";
  queue.ready_at_end = 0;
  double most = 0;
  for (auto _ : state) {
    forget_peak();
    const double before = peak();
    Ledger ledger({queue}, true);
    ledger.declare_publisher(0, {{0, RouteDelivery::kAll, {0}}}, {}, true);
    for (std::uint32_t i = 0; i < kMessages; ++i) ledger.add_publish(0, publish(i));
    for (std::uint32_t i = 0; i < kMessages; ++i) ledger.add_delivery(delivery(i), i % 4, 0);
    const LedgerAccount account = ledger.finish();
    most = std::max(most, peak() - before);
    if (account.lost != 0 || account.unique != kMessages) state.SkipWithError("the account is wrong");
  }
  state.counters["MB"] = most / kMegabyte;
}
BENCHMARK(LedgerOfTenMillion)->Unit(benchmark::kMillisecond)->Iterations(3);

// A run of one load and one role, 1 GB of recordings.
class RecordedRunOnDisk {
 public:
  RecordedRunOnDisk()
      : folder_(std::filesystem::temp_directory_path() / ("brokerlab-bench-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    const Json route = {{"exchange", ""}, {"routing_key", "tasks"}};
    RecordingWriter load(folder_ / "load.rec", {{"publishers", {{{"publisher", 0}}}}, {"routes", {route}}});
    for (std::uint32_t i = 0; i < kMessages; ++i) load.append_publish(publish(i));
    load.close();
    RecordingWriter role(
        folder_ / "role.rec",
        {{"consumers", {{{"index", 0}, {"name", "worker-0"}, {"queue", "tasks"}}}}, {"queues", {"tasks"}}});
    for (std::uint32_t i = 0; i < kMessages; ++i) role.append_delivery(delivery(i));
    role.close();
    evidence = Json::parse(R"({
      "t0_ns": 1000000, "drained": true, "phases": {"measure_start_ns": 1000000},
      "loads": [{"name": "load", "publish": {"exchange": "", "routing_key": "tasks"}}],
      "roles": [{"role": "worker", "consume": {"queue": "tasks"}}],
      "routes": [{"exchange": "", "routing_key": "tasks", "queues": ["tasks"], "delivery": "all"}],
      "queues": [{"name": "tasks", "ready_at_end": 0}],
      "processes": [{"name": "load-0", "kind": "load", "entry": "load", "recording": "load.rec", "ended_by": "normal"},
                    {"name": "worker-0", "kind": "role", "entry": "worker", "recording": "role.rec", "ended_by": "normal"}]})");
  }
  ~RecordedRunOnDisk() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const std::filesystem::path& folder() const { return folder_; }
  Json evidence;

 private:
  std::filesystem::path folder_;
};

void SummaryOfTenMillion(benchmark::State& state) {
  const RecordedRunOnDisk run;
  double most = 0;
  for (auto _ : state) {
    forget_peak();
    const double before = peak();
    const Json summary = summarise(run.evidence, run.folder());
    most = std::max(most, peak() - before);
    if (summary.at("ledger").at("lost") != 0) state.SkipWithError("the account is wrong");
  }
  state.counters["MB"] = most / kMegabyte;
}
BENCHMARK(SummaryOfTenMillion)->Unit(benchmark::kMillisecond)->Iterations(2);

}  // namespace
}  // namespace brokerlab
