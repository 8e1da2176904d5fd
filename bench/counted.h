#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>

namespace brokerlab {

// For BENCHMARK(…)->Apply(counted): BROKERLAB_ITERATIONS=n runs it exactly n times, so that what n more
// iterations cost in instructions can be told (bench/instructions.py).
inline void counted(benchmark::internal::Benchmark* benchmark) {
  if (const char* iterations = std::getenv("BROKERLAB_ITERATIONS")) {
    benchmark->Iterations(std::strtol(iterations, nullptr, 10));
  }
}

}  // namespace brokerlab
