#pragma once

#include <filesystem>

#include "core/json.h"

namespace brokerlab {

// Turns one run's recordings and the runner's evidence (docs/result.md, "Evidence") into one entry of the
// result's `runs`, its flags and its verdict included. Pure but for reading the recordings, whose paths stand
// in the evidence relative to `folder`. Bounded memory: some three bytes per published message, never a copy
// of the records. A recording that is missing or cut short is no exception but a reason for the verdict
// "unknown". Throws Error when the evidence itself lacks what it must hold.
Json summarise(const Json& evidence, const std::filesystem::path& folder);

}  // namespace brokerlab
