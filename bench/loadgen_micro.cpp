// Google Benchmarks of the schedule: what the next intended time costs.
#include <benchmark/benchmark.h>

#include "loadgen/pacer.h"

namespace brokerlab {
namespace {

void next_intended_time(benchmark::State& state, const Json& arrivals) {
  const LoadSpec spec =
      LoadSpec::from_json({{"name", "bench"}, {"arrivals", arrivals}, {"publish", Json::object()}});
  const auto pacer = Pacer::make(spec, 1, 0);
  auto cursor = pacer->cursor();
  for (auto _ : state) benchmark::DoNotOptimize(cursor->next());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(next_intended_time, constant, Json{{"process", "constant"}, {"rate", 1000.0}});
BENCHMARK_CAPTURE(next_intended_time, poisson, Json{{"process", "poisson"}, {"rate", 1000.0}});
BENCHMARK_CAPTURE(next_intended_time, burst, Json{{"process", "burst"}, {"size", 10}, {"every", "1s"}});

}  // namespace
}  // namespace brokerlab
