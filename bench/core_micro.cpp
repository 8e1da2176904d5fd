// Google Benchmarks of what runs once per message or once per record: histogram, ledger, recording.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <vector>

#include "bench/counted.h"
#include "core/histogram.h"
#include "core/random.h"
#include "core/recording.h"
#include "core/sequence_set.h"

namespace brokerlab {
namespace {

std::vector<std::int64_t> latencies() {
  Random random(1);
  std::vector<std::int64_t> values(1 << 14);
  for (std::int64_t& value : values) value = 1 + static_cast<std::int64_t>(random.exponential(1e6));
  return values;
}

void HistogramRecord(benchmark::State& state) {
  const std::vector<std::int64_t> values = latencies();
  Histogram histogram;
  std::size_t i = 0;
  for (auto _ : state) histogram.record(values[i++ & (values.size() - 1)]);
  benchmark::DoNotOptimize(histogram.count());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(HistogramRecord)->Apply(counted);

void HistogramEncode(benchmark::State& state) {
  Histogram histogram;
  for (const std::int64_t value : latencies()) histogram.record(value);
  for (auto _ : state) benchmark::DoNotOptimize(histogram.encode());
}
BENCHMARK(HistogramEncode);

void LedgerMark(benchmark::State& state) {
  SequenceSet seen;
  std::uint64_t sequence = 0;
  for (auto _ : state) {
    seen.mark(sequence);
    sequence = (sequence + 1) % 10'000'000;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(LedgerMark)->Apply(counted);

void RecordingAppendPublish(benchmark::State& state) {
  const auto path = std::filesystem::temp_directory_path() / "brokerlab-bench.rec";
  {
    RecordingWriter recording(path, Json::object());
    std::uint32_t sequence = 0;
    for (auto _ : state) recording.append_publish({1, 2, 0, sequence++, 0, 0, 0});
    state.SetItemsProcessed(state.iterations());
    recording.close();
  }
  std::filesystem::remove(path);
}
BENCHMARK(RecordingAppendPublish)->Iterations(4'000'000)->Apply(counted);

}  // namespace
}  // namespace brokerlab
