// The entry of libFuzzer for the target that CMake names.
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  brokerlab::fuzz::BROKERLAB_FUZZ_TARGET(std::as_bytes(std::span(bytes, size)));
  return 0;
}
